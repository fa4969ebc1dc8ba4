// Memory that is asked for before it is needed. Included inside a tier's namespace.

// Some bytes in parts, one with each piece of the work before. A burst of requests would wait for the memory, and the work
// with it. Level: the cache that they are brought to.
template <int Level>
struct lines_ahead {
    const char* at = nullptr;
    std::size_t lines = 0;  // still to be asked for
    std::size_t per_part = 0;

    lines_ahead() = default;
    lines_ahead(const void* from, std::size_t bytes, std::size_t parts)
        : at(static_cast<const char*>(from)) {
        if (parts == 0) return;
        lines = bytes / 64;
        per_part = (lines + parts - 1) / parts;
    }
    HENCE_ALWAYS_INLINE void next_part() {
        const std::size_t now = lines < per_part ? lines : per_part;
        for (std::size_t i = 0; i < now; ++i) __builtin_prefetch(at + 64 * i, 0, 4 - Level);
        at += 64 * now;
        lines -= now;
    }
};
