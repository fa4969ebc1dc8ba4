// Whether the tests run under a sanitizer: long ones then do less.
#ifndef HENCE_TESTS_SUPPORT_SANITIZED_HPP
#define HENCE_TESTS_SUPPORT_SANITIZED_HPP

namespace hence_test {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool sanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = false;
#endif
#else
inline constexpr bool sanitized = false;
#endif

}  // namespace hence_test

#endif
