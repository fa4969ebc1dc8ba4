// Compiled once per set of instruction-set flags; HENCE_MIXED_TIER names the set.
#include "support/walk.hpp"

#include "odr/mixed.hpp"

#define HENCE_MIXED_JOIN2(a, b) a##b
#define HENCE_MIXED_JOIN(a, b) HENCE_MIXED_JOIN2(a, b)

void HENCE_MIXED_JOIN(hence_mixed_, HENCE_MIXED_TIER)(hence_mixed_report& report) {
    report.abi = walk_abi();
    report.said = walk();
}
