#include "ssim_rows.h"

#include "clones.h"

namespace nirtrans::core {
namespace {

template <typename Real>
NIRTRANS_HD void multiply(const Real* __restrict__ x, const Real* __restrict__ y, Real* __restrict__ product,
                          Real* __restrict__ square, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    product[i] = x[i] * y[i];
    square[i] = x[i] * x[i] + y[i] * y[i];
  }
}

// kWindow is a constant where the window is the usual one: the taps then stay in registers.
template <int32_t kWindow, typename Real>
NIRTRANS_HD void filter(const Real* __restrict__ in, const Real* __restrict__ taps, Real* __restrict__ out,
                        int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    Real sum = taps[0] * in[i];
    for (int32_t k = 1; k < kWindow; ++k) sum += taps[k] * in[i + k];
    out[i] = sum;
  }
}

template <typename Real>
NIRTRANS_HD void filter_any(const Real* __restrict__ in, const Real* __restrict__ taps, int32_t window,
                            Real* __restrict__ out, int64_t count) {
  for (int64_t i = 0; i < count; ++i) out[i] = taps[0] * in[i];
  for (int32_t k = 1; k < window; ++k)
    for (int64_t i = 0; i < count; ++i) out[i] += taps[k] * in[i + k];
}

template <typename Real>
NIRTRANS_HD void combine_eleven(const Real* const* rows, const Real* __restrict__ weights, Real* __restrict__ out,
                                int64_t count) {
  const Real* __restrict__ r0 = rows[0], * __restrict__ r1 = rows[1], * __restrict__ r2 = rows[2], * __restrict__ r3 = rows[3], * __restrict__ r4 = rows[4], * __restrict__ r5 = rows[5], * __restrict__ r6 = rows[6], * __restrict__ r7 = rows[7], * __restrict__ r8 = rows[8], * __restrict__ r9 = rows[9], * __restrict__ r10 = rows[10];
  for (int64_t i = 0; i < count; ++i) {
    Real sum = weights[0] * r0[i];
    sum += weights[1] * r1[i];
    sum += weights[2] * r2[i];
    sum += weights[3] * r3[i];
    sum += weights[4] * r4[i];
    sum += weights[5] * r5[i];
    sum += weights[6] * r6[i];
    sum += weights[7] * r7[i];
    sum += weights[8] * r8[i];
    sum += weights[9] * r9[i];
    out[i] = sum + weights[10] * r10[i];
  }
}

template <typename Real>
NIRTRANS_HD void combine_any(const Real* const* rows, const Real* __restrict__ weights, int32_t window,
                             Real* __restrict__ out, int64_t count) {
  for (int64_t i = 0; i < count; ++i) out[i] = weights[0] * rows[0][i];
  for (int32_t k = 1; k < window; ++k) {
    const Real* __restrict__ row = rows[k];
    for (int64_t i = 0; i < count; ++i) out[i] += weights[k] * row[i];
  }
}

template <bool kContrast, typename Real>
NIRTRANS_HD void points(const Real* __restrict__ mu_x, const Real* __restrict__ mu_y, const Real* __restrict__ product,
                        const Real* __restrict__ square, Real c1, Real c2, Real* __restrict__ value,
                        Real* __restrict__ d_mu_x, Real* __restrict__ d_mu_y, Real* __restrict__ d_product,
                        Real* __restrict__ d_square, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    const SsimPoint<Real> point = ssim_point(mu_x[i], mu_y[i], product[i], square[i], c1, c2, kContrast);
    value[i] = point.value;
    d_mu_x[i] = point.d_mu_x;
    d_mu_y[i] = point.d_mu_y;
    d_product[i] = point.d_product;
    d_square[i] = point.d_square;
  }
}

template <typename Real>
NIRTRANS_HD void gradient(const Real* __restrict__ a, const Real* __restrict__ b, const Real* __restrict__ c,
                          const Real* __restrict__ own, const Real* __restrict__ other, Real weight,
                          Real* __restrict__ out, int64_t count) {
  for (int64_t i = 0; i < count; ++i) out[i] = weight * (a[i] + other[i] * b[i] + Real(2) * own[i] * c[i]);
}

}  // namespace

#define NIRTRANS_SSIM_ROWS(Real)                                                                                       \
  NIRTRANS_CLONES void multiply_rows(const Real* x, const Real* y, Real* product, Real* square, int64_t count) {       \
    multiply(x, y, product, square, count);                                                                            \
  }                                                                                                                    \
  NIRTRANS_CLONES void filter_row(const Real* in, const Real* taps, int32_t window, Real* out, int64_t count) {        \
    window == 11 ? filter<11>(in, taps, out, count) : filter_any(in, taps, window, out, count);                        \
  }                                                                                                                    \
  NIRTRANS_CLONES void combine_rows(const Real* const* rows, const Real* weights, int32_t window, Real* out,           \
                                    int64_t count) {                                                                   \
    window == 11 ? combine_eleven(rows, weights, out, count) : combine_any(rows, weights, window, out, count);         \
  }                                                                                                                    \
  NIRTRANS_CLONES void point_row(const Real* mu_x, const Real* mu_y, const Real* product, const Real* square, Real c1, \
                                 Real c2, bool contrast, PointRows<Real> out, int64_t count) {                         \
    contrast ? points<true>(mu_x, mu_y, product, square, c1, c2, out.value, out.d_mu_x, out.d_mu_y, out.d_product,     \
                            out.d_square, count)                                                                       \
             : points<false>(mu_x, mu_y, product, square, c1, c2, out.value, out.d_mu_x, out.d_mu_y, out.d_product,    \
                             out.d_square, count);                                                                     \
  }                                                                                                                    \
  NIRTRANS_CLONES void gradient_row(const Real* a, const Real* b, const Real* c, const Real* own, const Real* other,   \
                                    Real weight, Real* out, int64_t count) {                                           \
    gradient(a, b, c, own, other, weight, out, count);                                                                 \
  }

NIRTRANS_SSIM_ROWS(float)
NIRTRANS_SSIM_ROWS(double)
#undef NIRTRANS_SSIM_ROWS

}  // namespace nirtrans::core
