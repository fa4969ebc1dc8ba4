// The whole of hence: hence.hpp and its optional headers. Written by ./run format.
#ifndef HENCE_EVERYTHING_HPP
#define HENCE_EVERYTHING_HPP

#include "hence.hpp"

#include "core/json.hpp"

#include "sys/atomic_file.hpp"

#include "io/gguf_writer.hpp"
#include "io/hf_config.hpp"
#include "io/safetensors.hpp"

#include "text/chat.hpp"
#include "text/jinja.hpp"
#include "text/pattern.hpp"
#include "text/pipeline.hpp"
#include "text/tokenizer_json.hpp"

#include "quant/block_grid.hpp"
#include "quant/encode.hpp"
#include "quant/error_report.hpp"
#include "quant/int8_rows.hpp"

#include "prune/mask.hpp"
#include "prune/pattern.hpp"

#include "models/huggingface.hpp"

#include "reason/compiled.hpp"
#include "reason/registry.hpp"
#include "reason/scripted_engine.hpp"
#include "reason/trace.hpp"

#endif
