// embedding: a row of numbers for each token.
//
// Not a layer in the sense of layers/layer.hpp, since it reads tokens; it is what comes before the first one.
#ifndef HENCE_LAYERS_EMBEDDING_HPP
#define HENCE_LAYERS_EMBEDDING_HPP

#include "../core/scalar.hpp"
#include "../core/types.hpp"
#include "../tensor/tensor.hpp"
#include "layer.hpp"

#include <span>

HENCE_NAMESPACE_BEGIN

namespace layers {

/// A table of rows, stored as float, f16 or bf16 and read as float.
template <std::size_t Vocabulary = dynamic_extent, std::size_t Width = dynamic_extent, class Element = float>
    requires(std::same_as<Element, float> || std::same_as<Element, f16> || std::same_as<Element, bf16>)
class embedding {
public:
    /// Copies the table.
    /// @shape table[vocabulary, width], in any layout
    /// @errors what the memory resource throws
    /// @source none
    explicit embedding(const matrix_view<const Element, Vocabulary, Width, strided>& table,
                       std::pmr::memory_resource* memory = nullptr)
        : table_(copy(table, memory)) {}

    [[nodiscard]] std::size_t vocabulary() const noexcept { return table_.extent(0); }
    [[nodiscard]] std::size_t outputs() const noexcept { return table_.extent(1); }

    /// The table itself, for an output layer tied to it. Valid as long as the layer, moves included.
    /// @shape [vocabulary, width]
    /// @errors none
    /// @source none
    [[nodiscard]] matrix_view<const Element, Vocabulary, Width> table() const noexcept { return table_.view(); }

    /// out[i] = table[tokens[i]]
    /// @shape tokens[rows], out[rows, width]
    /// @errors contract: a token outside the vocabulary; sizes differ
    /// @threads all workers of a team call it together
    /// @source none
    void forward(const worker& self, std::span<const token_id> tokens, const rows_out<Width>& out) const {
        HENCE_EXPECT(tokens.size() == out.extent(0) && outputs() == out.extent(1), "an output row for each token");
        for (token_id token : tokens) {
            HENCE_EXPECT(token >= 0 && static_cast<std::size_t>(token) < vocabulary(), "tokens of the vocabulary");
        }
        const index_range mine = self.share(tokens.size());
        for (std::size_t i = mine.begin; i < mine.end; ++i) {
            const Element* const source = table_.data() + static_cast<std::size_t>(tokens[i]) * outputs();
            float* const target = out.data() + i * out.stride(0);
            for (std::size_t j = 0; j < outputs(); ++j) target[j] = to_float(source[j]);
        }
        self.wait();
    }

private:
    matrix<Element, Vocabulary, Width> table_;
};

template <class Table>
embedding(const Table&, std::pmr::memory_resource* = nullptr)
    -> embedding<Table::static_extent(0), Table::static_extent(1), typename Table::value_type>;

}  // namespace layers

HENCE_NAMESPACE_END

#endif
