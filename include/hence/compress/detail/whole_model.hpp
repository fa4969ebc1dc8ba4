// What quantizing, pruning and shrinking a whole file have in common. Private to compress.
#ifndef HENCE_COMPRESS_DETAIL_WHOLE_MODEL_HPP
#define HENCE_COMPRESS_DETAIL_WHOLE_MODEL_HPP

#include "../../core/result.hpp"
#include "../../io/gguf.hpp"
#include "../../io/gguf_writer.hpp"
#include "../../models/decoder.hpp"
#include "../../quant/decode.hpp"
#include "../calibration.hpp"

#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

HENCE_NAMESPACE_BEGIN

namespace compress::detail {

/// A writer with the source's metadata. The result is one file, even of a split set.
inline gguf_writer writer_like(const gguf_file& source) {
    gguf_writer writer;
    for (const gguf_entry& entry : source.metadata())
        if (!entry.key.starts_with("split.")) writer.add(entry);
    return writer;
}

/// A tensor's numbers, if all of them are numbers of at most this magnitude.
inline result<std::vector<float>> finite_floats(const gguf_file& file, const file_tensor& tensor,
                                                float most = std::numeric_limits<float>::max()) {
    std::vector<float> values(static_cast<std::size_t>(tensor.elements()));
    HENCE_TRY(decode_row(tensor.type, tensor.data, values));
    file.release_pages(tensor);
    const auto columns = static_cast<std::size_t>(tensor.shape.empty() ? 1 : tensor.shape.back());
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (std::fabs(values[i]) <= most) continue;  // not so of NaN
        const bool large = std::isfinite(values[i]);
        return make_error(large ? errc::out_of_range : errc::not_a_number, file.name(),
                          large ? "weights of magnitudes up to " + std::to_string(most) : "finite weights",
                          std::to_string(values[i]) + " in row " + std::to_string(i / columns) + ", column " +
                              std::to_string(i % columns),
                          tensor.name, tensor.file_offset);
    }
    return values;
}

/// What a method made of a tensor; where it failed, the tensor's name as well, which the method does not know.
template <class T>
result<T> made_of(const std::string& tensor, result<T> made) {
    if (!made.has_value() && made.error().tensor_name.empty()) made.error().tensor_name = tensor;
    return made;
}

/// Takes a calibration text through the layers of a file's model. `work` gets one layer's statistics (which are its to
/// change) and the configuration, and returns the tensors that replace the layer's before the text goes on.
template <class Work>
result<void> each_layer(const gguf_file& file, std::string_view text, calibration_options reading, int threads,
                        bool gram, Work work) {
    load_options loading;
    loading.threads = threads;
    HENCE_TRY_ASSIGN(model, decoder::from_gguf(file, loading));
    if (reading.threads == 0) reading.threads = threads;
    HENCE_TRY_ASSIGN(passage, calibration::make(model, text, reading));
    while (passage.layer() < model.config().layers) {
        HENCE_TRY_ASSIGN(statistics, passage.capture(model, gram));
        HENCE_TRY_ASSIGN(replaced, work(statistics, model.config()));
        if (!replaced.empty()) {
            HENCE_TRY_ASSIGN(next, model.with_tensors(replaced));
            model = std::move(next);
        }
        passage.advance(model);
    }
    return {};
}

}  // namespace compress::detail

HENCE_NAMESPACE_END

#endif
