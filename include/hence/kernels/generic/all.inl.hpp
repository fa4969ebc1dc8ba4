// Every generic loop, in order. Included once in each tier's namespace, after its vectors; hence_tier is that namespace.
#include "math.inl.hpp"
#include "matmul.inl.hpp"
#include "matmul_float.inl.hpp"
#include "matmul_int8.inl.hpp"
#include "quantize.inl.hpp"
#include "elementwise.inl.hpp"
#include "attention.inl.hpp"
#include "table.inl.hpp"
