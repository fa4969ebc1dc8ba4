// sampler: draws the next token from a row of logits.
//
// The draw is the Gumbel-max rule: every surviving token t gets noise that is a pure function of
// (seed, stream, position, t), and the largest logit / temperature + noise wins, ties to the lowest id.
// Its law is exactly the softmax over the survivors, it keeps no state, and two distributions drawn at
// one address agree as often as they can cheaply be made to, which is what shared-noise speculation needs.
//
// It is not a chain of pluggable filters: the order is fixed (see generate/sampling.hpp), so that a draw has
// one meaning. All scratch memory is reserved beforehand; a draw allocates nothing.
#ifndef HENCE_GENERATE_SAMPLER_HPP
#define HENCE_GENERATE_SAMPLER_HPP

#include "../cache/step.hpp"
#include "../core/result.hpp"
#include "../core/rng.hpp"
#include "../core/types.hpp"
#include "events.hpp"
#include "sampling.hpp"

#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <span>
#include <vector>

HENCE_NAMESPACE_BEGIN

/// Refuses settings that have no meaning, by field: negative or NaN temperature, top_p outside (0, 1], a bias
/// for a token that the vocabulary lacks, and the like.
/// @shape none
/// @errors out_of_range naming the field, what it may be and what it is
/// @source none
[[nodiscard]] result<void> check(const sampling& how, std::size_t vocabulary_size);

/// One draw: where in the space of random numbers it stands, and what is wanted besides the token.
struct draw_request {
    const sampling* how = nullptr;        ///< checked by check(); not null
    std::span<const token_id> history{};  ///< the tokens before this one, for the penalties
    std::uint64_t stream = 0;
    std::uint32_t position = 0;      ///< of the token that is drawn
    bool log_probability = false;    ///< as until::log_probabilities, of the chosen token
    int confidence_top_k = 0;        ///< as until::confidence_top_k
    bool self_certainty = false;     ///< as until::self_certainty
    bool restore = false;            ///< leave the logits as they came, for others that draw from them
    const float* block_tops = nullptr;  ///< of these logits, as step::block_tops; null: not known
};

enum class draw_status : std::uint8_t {
    ok,
    not_a_number,  ///< the model's logits hold NaN or an infinity; drawn::token is the first such token
    no_candidate,  ///< logit_bias bans every token
};

struct drawn {
    token_id token = no_token;
    draw_status status = draw_status::ok;
    token_statistics statistics{};
};

/// The scratch memory and the code of draws over one vocabulary. Used by one thread at a time; several
/// samplers of different threads give the same tokens.
class sampler {
public:
    /// @shape none
    /// @errors none
    /// @source none
    explicit sampler(std::size_t vocabulary_size,
                     std::pmr::memory_resource* memory = std::pmr::get_default_resource());

    /// Makes draws with up to `history` tokens in the penalty window and `biases` biases free of allocation.
    /// @shape none
    /// @errors none
    /// @source none
    void reserve(std::size_t history, std::size_t biases);

    /// Draws one token. The logits are changed where penalties and biases apply, unless draw_request::restore is set.
    /// @shape logits[vocabulary_size]
    /// @errors none: see drawn::status
    /// @numerics the law is softmax(logits / temperature) over the survivors up to 2^-64 per token and the
    ///   rounding of double; test: sampler_test "law". Statistics are of the unchanged logits at temperature 1
    /// @cost O(vocabulary): greedy one pass, or none where block_tops is given; sampling one more over the blocks that hold
    ///   survivors, with a quarter of a Philox block per token; top_p and statistics one more, with an exponential per token
    /// @threads re-entrant on different samplers; no allocation
    /// @source Gumbel, "Statistical theory of extreme values", 1954 (max rule); Holtzman et al., arXiv 1904.09751
    ///   (top-p); Nguyen et al., arXiv 2407.01082 (min-p); Keskar et al., arXiv 1909.05858 (repetition penalty,
    ///   here sign-aware); Fu et al., arXiv 2508.15260 (confidence); Kang et al., arXiv 2502.18581 (self-certainty)
    [[nodiscard]] drawn draw(std::span<float> logits, const draw_request& request) noexcept;

private:
    struct candidate {
        float logit;
        token_id id;
    };
    // The order of top-k and top-p: ties go to the lowest id.
    [[nodiscard]] static bool better(const candidate& a, const candidate& b) noexcept {
        return a.logit > b.logit || (a.logit == b.logit && a.id < b.id);
    }
    struct change {
        token_id id;
        float raw;
    };

    [[nodiscard]] bool scan(std::span<const float> logits, const float* known) noexcept;
    void rescan(std::span<const float> logits) noexcept;
    void find_top(std::span<const float> logits) noexcept;
    void adjust(std::span<float> logits, const draw_request& request) noexcept;
    void gather(std::span<const float> logits, float at_least) noexcept;
    void keep_top(std::span<const float> logits, std::size_t count) noexcept;
    [[nodiscard]] candidate last_survivor(std::span<const float> logits, const sampling& how) noexcept;
    [[nodiscard]] candidate last_of_nucleus(double sum, double enough, double inverse_temperature, candidate otherwise) const noexcept;
    [[nodiscard]] double perturbed(float logit, token_id id, const draw_request& request) const noexcept;
    [[nodiscard]] token_id draw_survivor(std::span<const float> logits, candidate last, const draw_request& request) const noexcept;

    std::uint32_t (*words_)(const counter_rng&, std::uint64_t, std::uint32_t, std::uint32_t, std::uint32_t*) noexcept;
    float top_ = 0;             // largest logit of the last scan()
    token_id arg_ = no_token;   // where, lowest id
    std::pmr::vector<float> block_tops_;  // largest logit of each block of tokens
    std::pmr::vector<float> block_order_;
    std::pmr::vector<candidate> candidates_;
    std::pmr::vector<token_id> window_;
    std::pmr::vector<change> changes_;
};

/// log softmax(logits)[token] at temperature 1.
/// @shape logits[n], 0 <= token < n
/// @errors none: NaN when the logits hold NaN or infinities
/// @numerics float logits, sum of exponentials in double; absolute error below 1e-5
/// @source none
[[nodiscard]] float log_probability(std::span<const float> logits, token_id token) noexcept;

/// log of the sum of exp(logits): log_probability(t) is logits[t] minus this.
/// @shape logits[n], n > 0
/// @errors none: NaN when the logits hold NaN or infinities
/// @numerics as log_probability()
/// @source none
[[nodiscard]] double log_normalizer(std::span<const float> logits) noexcept;

/// The first token whose logit is NaN or infinite, or no_token.
/// @shape logits[n]
/// @errors none
/// @source none
[[nodiscard]] token_id first_not_finite(std::span<const float> logits) noexcept;

HENCE_NAMESPACE_END

#if HENCE_HAS_DEFINITIONS
#include "detail/sampler.inl.hpp"
#endif

#endif
