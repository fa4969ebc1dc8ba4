// How the differently compiled files of one program report to its main function: no hence type crosses
// between them, which is what the ABI key asks of a user too.
#ifndef HENCE_TESTS_ODR_MIXED_HPP
#define HENCE_TESTS_ODR_MIXED_HPP

#include <string>

struct hence_mixed_report {
    std::string abi;
    std::string said;
};

void hence_mixed_baseline(hence_mixed_report& report);
void hence_mixed_avx2(hence_mixed_report& report);
void hence_mixed_avx512(hence_mixed_report& report);

#endif
