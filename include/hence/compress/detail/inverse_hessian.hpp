// What GPTQ and SparseGPT share: the factor of the inverse Hessian that both work along. Needs Eigen.
#ifndef HENCE_COMPRESS_DETAIL_INVERSE_HESSIAN_HPP
#define HENCE_COMPRESS_DETAIL_INVERSE_HESSIAN_HPP

#include "../../config.hpp"

#include <Eigen/Cholesky>
#include <Eigen/Core>

HENCE_NAMESPACE_BEGIN

namespace compress::detail {

// The upper Cholesky factor U of the inverse of the damped Hessian, H^-1 = U^T U; empty where damping does not help.
inline Eigen::MatrixXd inverse_hessian_factor(Eigen::MatrixXd hessian, double damping) {
    const Eigen::Index k = hessian.rows();
    double mean = 0;  // by hand: g++ 12 warns of Eigen's own reduction of a diagonal
    for (Eigen::Index i = 0; i < k; ++i) mean += hessian(i, i) / static_cast<double>(k);
    if (!(mean > 0)) mean = 1;  // nothing was read: every weight matters alike
    for (Eigen::Index i = 0; i < k; ++i)
        if (hessian(i, i) == 0) hessian(i, i) = mean;  // a column that nobody reads is tied to no other
    for (int attempt = 0; attempt < 5; ++attempt, damping *= 10) {
        Eigen::MatrixXd damped = hessian;
        damped.diagonal().array() += damping * mean;
        const Eigen::LLT<Eigen::MatrixXd> factor(damped);
        if (factor.info() != Eigen::Success) continue;
        const Eigen::LLT<Eigen::MatrixXd, Eigen::Upper> inverse(factor.solve(Eigen::MatrixXd::Identity(k, k)));
        if (inverse.info() == Eigen::Success) return inverse.matrixU();
    }
    return {};
}

}  // namespace compress::detail

HENCE_NAMESPACE_END

#endif
