// The compiled form's definitions of quant: encoders. See src/hence.cpp.
#include "declarations.hpp"

#include "hence/quant/block_grid.hpp"
#include "hence/quant/encode.hpp"
#include "hence/quant/int8_rows.hpp"

#include "definitions.hpp"

#include "hence/quant/detail/block_grid.inl.hpp"
#include "hence/quant/detail/encode.inl.hpp"
#include "hence/quant/detail/int8_rows.inl.hpp"
