#pragma once

#include <cstdint>

#include "../core/ssim.h"

// The loops of SSIM over one row of pixels, for float and double. Lengths are rounded up to kRowStep by the caller, so
// every buffer has room for that.
namespace nirtrans::core {

constexpr int64_t kRowStep = 16;
inline int64_t row_length(int64_t count) { return (count + kRowStep - 1) / kRowStep * kRowStep; }

// Rows of derivatives by the four filtered quantities.
template <typename Real>
struct PointRows {
  Real *value, *d_mu_x, *d_mu_y, *d_product, *d_square;
};

#define NIRTRANS_SSIM_ROWS(Real)                                                                                  \
  /* x y and x^2 + y^2 */                                                                                         \
  void multiply_rows(const Real* x, const Real* y, Real* product, Real* square, int64_t count);                   \
  /* out[i] = sum over k of taps[k] in[i + k] */                                                                  \
  void filter_row(const Real* in, const Real* taps, int32_t window, Real* out, int64_t count);                    \
  /* out[i] = sum over k of weights[k] rows[k][i] */                                                              \
  void combine_rows(const Real* const* rows, const Real* weights, int32_t window, Real* out, int64_t count);      \
  void point_row(const Real* mu_x, const Real* mu_y, const Real* product, const Real* square, Real c1, Real c2,   \
                 bool contrast, PointRows<Real> out, int64_t count);                                              \
  /* weight (a + other b + 2 own c) */                                                                            \
  void gradient_row(const Real* a, const Real* b, const Real* c, const Real* own, const Real* other, Real weight, \
                    Real* out, int64_t count);

NIRTRANS_SSIM_ROWS(float)
NIRTRANS_SSIM_ROWS(double)
#undef NIRTRANS_SSIM_ROWS

}  // namespace nirtrans::core
