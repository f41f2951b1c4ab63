#include "../core/annealed_kernels.h"
#include "clones.h"
#include "softmax_tile.h"

namespace nirtrans::core {
namespace {

// Sums over the classes of e^((z - largest) / T), and of the same times a and b of the class.
template <typename Real>
struct Sums {
  alignas(64) Real weight[kTile], a[kTile], b[kTile];
};

template <bool Keep, typename T, typename Real>
NIRTRANS_HD void sum_classes(Real* __restrict__ rows, const Real* __restrict__ largest, const float* __restrict__ bins,
                             const ClassRows<const T>& logits, Real sharpness, Real* __restrict__ weight,
                             Real* __restrict__ a, Real* __restrict__ b) {
  for (int64_t i = 0; i < kTile; ++i) weight[i] = a[i] = b[i] = Real(0);
  for (int64_t q = 0; q < logits.classes; q += kGroup) {
    Real* row = rows + q * kTile;
    Real at[kGroup], bt[kGroup];
    for (int64_t k = 0; k < kGroup; ++k) {
      const bool padding = q + k >= logits.classes;
      at[k] = padding ? Real(0) : Real(bins[2 * (q + k)]);
      bt[k] = padding ? Real(0) : Real(bins[2 * (q + k) + 1]);
      fetch_ahead(logits, q + k);
    }
    for (int64_t i = 0; i < kTile; ++i) {
      const Real e0 = exp_of_negative((row[i] - largest[i]) * sharpness);
      const Real e1 = exp_of_negative((row[i + kTile] - largest[i]) * sharpness);
      const Real e2 = exp_of_negative((row[i + 2 * kTile] - largest[i]) * sharpness);
      const Real e3 = exp_of_negative((row[i + 3 * kTile] - largest[i]) * sharpness);
      weight[i] += (e0 + e1) + (e2 + e3);
      a[i] += (at[0] * e0 + at[1] * e1) + (at[2] * e2 + at[3] * e3);
      b[i] += (bt[0] * e0 + bt[1] * e1) + (bt[2] * e2 + bt[3] * e3);
      if (Keep) {
        row[i] = e0, row[i + kTile] = e1, row[i + 2 * kTile] = e2, row[i + 3 * kTile] = e3;
      }
    }
  }
}

template <typename T, typename Real>
NIRTRANS_HD void mean_of_tile(const ClassRows<const T>& logits, Scratch<Real>& scratch, const float* bins,
                              Real sharpness, Real* __restrict__ a_out, Real* __restrict__ b_out) {
  Sums<Real> sums;
  load_rows<T, Real>(logits, scratch.rows, scratch.largest);
  sum_classes<false>(scratch.rows, scratch.largest, bins, logits, sharpness, sums.weight, sums.a, sums.b);
  for (int64_t i = 0; i < logits.count; ++i) {
    a_out[i] = sums.a[i] / sums.weight[i];
    b_out[i] = sums.b[i] / sums.weight[i];
  }
}

// dz_q = p_q (<g, c_q> - <g, ab>) / T
template <typename T, typename Real>
NIRTRANS_HD void pull_back_tile(const ClassRows<const T>& logits, Scratch<Real>& scratch, const float* bins,
                                Real sharpness, const Real* __restrict__ grad_a, const Real* __restrict__ grad_b,
                                const ClassRows<T>& out) {
  Sums<Real> sums;
  load_rows<T, Real>(logits, scratch.rows, scratch.largest);
  sum_classes<true>(scratch.rows, scratch.largest, bins, logits, sharpness, sums.weight, sums.a, sums.b);
  alignas(64) Real scaled_a[kTile], scaled_b[kTile], mean[kTile];
  for (int64_t i = 0; i < kTile; ++i) {
    const Real ga = i < logits.count ? grad_a[i] : Real(0), gb = i < logits.count ? grad_b[i] : Real(0);
    const Real scale = sharpness / sums.weight[i];
    scaled_a[i] = ga * scale, scaled_b[i] = gb * scale;
    mean[i] = scaled_a[i] * (sums.a[i] / sums.weight[i]) + scaled_b[i] * (sums.b[i] / sums.weight[i]);
  }
  for (int64_t q = 0; q < logits.classes; ++q) {
    Real* __restrict__ row = scratch.rows + q * kTile;
    const Real a = Real(bins[2 * q]), b = Real(bins[2 * q + 1]);
    alignas(64) Real grad[kTile];
    for (int64_t i = 0; i < kTile; ++i) grad[i] = row[i] * (scaled_a[i] * a + scaled_b[i] * b - mean[i]);
    store_row(grad, out, q);
  }
}

#define NIRTRANS_TILE_KERNELS(T, Real)                                                                                 \
  NIRTRANS_CLONES void mean_tile(const ClassRows<const T>& logits, Scratch<Real>& scratch, const float* bins,          \
                                 Real sharpness, Real* a, Real* b) {                                                   \
    mean_of_tile<T, Real>(logits, scratch, bins, sharpness, a, b);                                                     \
  }                                                                                                                    \
  NIRTRANS_CLONES void mean_backward_tile(const ClassRows<const T>& logits, Scratch<Real>& scratch, const float* bins, \
                                          Real sharpness, const Real* grad_a, const Real* grad_b,                      \
                                          const ClassRows<T>& out) {                                                   \
    pull_back_tile<T, Real>(logits, scratch, bins, sharpness, grad_a, grad_b, out);                                    \
  }

NIRTRANS_TILE_KERNELS(Half, float)
NIRTRANS_TILE_KERNELS(BFloat16, float)
NIRTRANS_TILE_KERNELS(float, float)
NIRTRANS_TILE_KERNELS(double, double)
#undef NIRTRANS_TILE_KERNELS

}  // namespace

template <typename T>
void annealed_mean_cpu(const T* logits, const Planes& layout, const float* bins, double temperature, Compute<T>* ab,
                       int64_t first, int64_t last) {
  const Planes planar{layout.images, 2, layout.plane, false};
  Scratch<Compute<T>> scratch(layout.channels);
  for (int64_t i = first; i < last; ++i) {
    const Tile tile = locate_tile(layout, i);
    Compute<T>* a = ab + planar.offset(tile.image, tile.start);
    mean_tile(locate_rows(logits, layout, tile), scratch, bins, static_cast<Compute<T>>(1 / temperature), a,
              a + layout.plane);
  }
}

template <typename T>
void annealed_mean_backward_cpu(const Compute<T>* grad_ab, const T* logits, const Planes& layout, const float* bins,
                                double temperature, T* grad_logits, int64_t first, int64_t last) {
  const Planes planar{layout.images, 2, layout.plane, false};
  Scratch<Compute<T>> scratch(layout.channels);
  for (int64_t i = first; i < last; ++i) {
    const Tile tile = locate_tile(layout, i);
    const Compute<T>* a = grad_ab + planar.offset(tile.image, tile.start);
    mean_backward_tile(locate_rows(logits, layout, tile), scratch, bins, static_cast<Compute<T>>(1 / temperature), a,
                       a + layout.plane, locate_rows(grad_logits, layout, tile));
  }
}

#define NIRTRANS_INSTANTIATE(T)                                                                                     \
  template void annealed_mean_cpu<T>(const T*, const Planes&, const float*, double, Compute<T>*, int64_t, int64_t); \
  template void annealed_mean_backward_cpu<T>(const Compute<T>*, const T*, const Planes&, const float*, double, T*, \
                                              int64_t, int64_t);

NIRTRANS_INSTANTIATE(Half)
NIRTRANS_INSTANTIATE(BFloat16)
NIRTRANS_INSTANTIATE(float)
NIRTRANS_INSTANTIATE(double)
#undef NIRTRANS_INSTANTIATE

}  // namespace nirtrans::core
