// callable<R(A...)>: a copyable function object of any kind, for options that hold callbacks.
//
// std::function's header is among the heaviest of the standard library and user programs compile this one.
#ifndef HENCE_REASON_DETAIL_CALLABLE_HPP
#define HENCE_REASON_DETAIL_CALLABLE_HPP

#include "../../config.hpp"

#include <memory>
#include <type_traits>
#include <utility>

HENCE_NAMESPACE_BEGIN

template <class Signature>
class callable;

/// Copies share one function object; calling an empty one is a contract violation of the caller, so test first.
template <class R, class... A>
class callable<R(A...)> {
public:
    callable() = default;
    callable(std::nullptr_t) {}
    template <class F>
        requires(!std::is_same_v<std::remove_cvref_t<F>, callable> && std::is_invocable_r_v<R, F&, A...>)
    callable(F f) : target_(std::make_shared<model<F>>(std::move(f))) {}

    explicit operator bool() const noexcept { return target_ != nullptr; }
    R operator()(A... arguments) const { return target_->call(std::forward<A>(arguments)...); }

private:
    struct base {
        virtual ~base() = default;
        virtual R call(A... arguments) = 0;
    };
    template <class F>
    struct model final : base {
        explicit model(F f) : function(std::move(f)) {}
        R call(A... arguments) override { return function(std::forward<A>(arguments)...); }
        F function;
    };
    std::shared_ptr<base> target_;
};

HENCE_NAMESPACE_END

#endif
