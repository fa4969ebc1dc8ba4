// Whether the tests run under a sanitizer, where everything is ten times slower: long ones then do less.
#ifndef HENCE_TESTS_SUPPORT_SANITIZED_HPP
#define HENCE_TESTS_SUPPORT_SANITIZED_HPP

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HENCE_TEST_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HENCE_TEST_SANITIZED 1
#endif
#endif
#ifndef HENCE_TEST_SANITIZED
#define HENCE_TEST_SANITIZED 0
#endif

namespace hence_test {

inline constexpr bool sanitized = HENCE_TEST_SANITIZED != 0;

}  // namespace hence_test

#endif
