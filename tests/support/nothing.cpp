// A target must have a source: this one carries the precompiled header of the tests.
