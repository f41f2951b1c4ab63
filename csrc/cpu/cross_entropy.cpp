#include "../core/cross_entropy_kernels.h"
#include "clones.h"
#include "softmax_tile.h"

namespace nirtrans::core {
namespace {

// The soft targets of a tile and what its pixels contribute.
template <typename Real>
struct Targets {
  explicit Targets(int64_t neighbors) : bin(neighbors * kTile), weight(neighbors * kTile) {}
  std::vector<int32_t> bin;  // [neighbors][kTile]
  std::vector<Real> weight;
  Real a[kTile], b[kTile];
  alignas(64) Real sum[kTile];     // of e^(z - largest) over the classes
  alignas(64) Real target[kTile];  // of weight (z - largest) over the neighbours
  alignas(64) Real scale[kTile];   // of the gradient
};

// Logits become e^(z - largest), of which only the sums are kept if `Keep` is false.
template <bool Keep, typename Real>
NIRTRANS_HD void sum_exponentials(Real* __restrict__ rows, const Real* __restrict__ largest, int64_t classes,
                                  Real* __restrict__ sum) {
  for (int64_t i = 0; i < kTile; ++i) sum[i] = Real(0);
  for (int64_t q = 0; q < classes; q += kGroup) {
    Real* row = rows + q * kTile;
    for (int64_t i = 0; i < kTile; ++i) {
      const Real e0 = exp_of_negative(row[i] - largest[i]);
      const Real e1 = exp_of_negative(row[i + kTile] - largest[i]);
      const Real e2 = exp_of_negative(row[i + 2 * kTile] - largest[i]);
      const Real e3 = exp_of_negative(row[i + 3 * kTile] - largest[i]);
      sum[i] += (e0 + e1) + (e2 + e3);
      if (Keep) row[i] = e0, row[i + kTile] = e1, row[i + 2 * kTile] = e2, row[i + 3 * kTile] = e3;
    }
  }
}

template <typename T, typename Real>
NIRTRANS_HD void sum_tile(const ClassRows<const T>& logits, bool keep, Scratch<Real>& scratch, Real* sum) {
  if (keep) return sum_exponentials<true>(scratch.rows, scratch.largest, logits.classes, sum);
  sum_exponentials<false>(scratch.rows, scratch.largest, logits.classes, sum);
}

template <typename T, typename Real>
NIRTRANS_HD void scale_rows(const Real* __restrict__ rows, const Real* __restrict__ scale, const ClassRows<T>& out) {
  for (int64_t q = 0; q < out.classes; ++q) {
    alignas(64) Real grad[kTile];
    for (int64_t i = 0; i < kTile; ++i) grad[i] = rows[q * kTile + i] * scale[i];
    store_row(grad, out, q);
  }
}

template <typename T>
NIRTRANS_HD void multiply(T* values, Compute<T> factor, int64_t count) {
  for (int64_t i = 0; i < count; ++i) narrow(widen(values[i]) * factor, values[i]);
}

#define NIRTRANS_TILE_KERNELS(T, Real)                                                                        \
  NIRTRANS_CLONES void load_tile(const ClassRows<const T>& logits, Scratch<Real>& scratch) {                  \
    load_rows<T, Real>(logits, scratch.rows, scratch.largest);                                                \
  }                                                                                                           \
  NIRTRANS_CLONES void exponentiate_tile(const ClassRows<const T>& logits, bool keep, Scratch<Real>& scratch, \
                                         Real* sum) {                                                         \
    sum_tile<T, Real>(logits, keep, scratch, sum);                                                            \
  }                                                                                                           \
  NIRTRANS_CLONES void store_tile(const Scratch<Real>& scratch, const Real* scale, const ClassRows<T>& out) { \
    scale_rows<T, Real>(scratch.rows, scale, out);                                                            \
  }                                                                                                           \
  NIRTRANS_CLONES void scale_all(T* values, Real factor, int64_t count) { multiply(values, factor, count); }

NIRTRANS_TILE_KERNELS(Half, float)
NIRTRANS_TILE_KERNELS(BFloat16, float)
NIRTRANS_TILE_KERNELS(float, float)
NIRTRANS_TILE_KERNELS(double, double)
#undef NIRTRANS_TILE_KERNELS

// A class of no weight counts for nothing, even at -inf.
template <typename Real>
void gather_targets(const Scratch<Real>& scratch, int64_t count, int64_t neighbors, Targets<Real>& targets) {
  std::fill(targets.target, targets.target + kTile, Real(0));
  for (int64_t k = 0; k < neighbors; ++k)
    for (int64_t i = 0; i < count; ++i) {
      const Real weight = targets.weight[k * kTile + i];
      const Real logit = scratch.rows[targets.bin[k * kTile + i] * kTile + i] - scratch.largest[i];
      targets.target[i] += weight == Real(0) ? Real(0) : weight * logit;
    }
}

// e^(z - largest) becomes softmax minus target, times the sum.
template <typename Real>
void subtract_targets(const Targets<Real>& targets, int64_t count, int64_t neighbors, Scratch<Real>& scratch) {
  for (int64_t k = 0; k < neighbors; ++k)
    for (int64_t i = 0; i < count; ++i)
      scratch.rows[targets.bin[k * kTile + i] * kTile + i] -= targets.weight[k * kTile + i] * targets.sum[i];
}

template <typename T>
void skip_tile(const CrossEntropyInput<T>& in, const CrossEntropyOutput<T>& out, const Tile& tile, int64_t number) {
  if (out.partial != nullptr) out.partial[number] = 0;
  if (out.loss != nullptr) std::fill_n(out.loss + tile.image * in.layout.plane + tile.start, tile.count, Compute<T>(0));
  if (out.gradient == nullptr) return;
  const Compute<T> zeros[kTile] = {};
  const ClassRows<T> rows = locate_rows(out.gradient, in.layout, tile);
  for (int64_t q = 0; q < rows.classes; ++q) store_row(zeros, rows, q);
}

// loss = v (log sum e^z - sum w z), d loss / dz = v (softmax - w)
template <typename T>
void run_tile(const CrossEntropyInput<T>& in, const CrossEntropyOutput<T>& out, const Tile& tile, int64_t number,
              Scratch<Compute<T>>& scratch, Targets<Compute<T>>& targets) {
  using Real = Compute<T>;
  const ClassRows<const T> logits = locate_rows(in.logits, in.layout, tile);
  const Planes colors{in.layout.images, 2, in.layout.plane, false};
  load_channel(in.ab, colors, tile, 0, targets.a);
  load_channel(in.ab, colors, tile, 1, targets.b);
  encode_tile(targets.a, targets.b, tile.count, in.table, in.encoding, targets.bin.data(), targets.weight.data());
  load_tile(logits, scratch);
  gather_targets(scratch, tile.count, in.encoding.neighbors, targets);
  exponentiate_tile(logits, out.gradient != nullptr, scratch, targets.sum);
  const int64_t pixel = tile.image * in.layout.plane + tile.start;
  const Real scale = out.scale == nullptr ? Real(1) : *out.scale;
  double total = 0;
  for (int64_t i = 0; i < tile.count; ++i) {
    const Real v = in.class_weight == nullptr ? Real(1) : in.class_weight[targets.bin[i]];
    const Real loss = v * (std::log(targets.sum[i]) - targets.target[i]);
    if (out.loss != nullptr) out.loss[pixel + i] = loss;
    total += loss;
    const Real upstream = out.upstream == nullptr ? Real(1) : out.upstream[out.per_pixel ? pixel + i : 0];
    targets.scale[i] = v * upstream * scale / targets.sum[i];
  }
  if (out.partial != nullptr) out.partial[number] = total;
  if (out.gradient == nullptr) return;
  subtract_targets(targets, tile.count, in.encoding.neighbors, scratch);
  store_tile(scratch, targets.scale, locate_rows(out.gradient, in.layout, tile));
}

}  // namespace

template <typename T>
void cross_entropy_cpu(const CrossEntropyInput<T>& in, const CrossEntropyOutput<T>& out, int64_t first, int64_t last) {
  Scratch<Compute<T>> scratch(in.layout.channels);
  Targets<Compute<T>> targets(in.encoding.neighbors);
  std::fill(targets.scale, targets.scale + kTile, Compute<T>(0));
  for (int64_t i = first; i < last; ++i) {
    const Tile tile = locate_tile(in.layout, i);
    if (in.skipped != nullptr && in.skipped[tile.image]) {
      skip_tile(in, out, tile, i);
    } else {
      run_tile(in, out, tile, i, scratch, targets);
    }
  }
}

template <typename T>
void scale_gradient_cpu(T* gradient, Compute<T> factor, int64_t first, int64_t last) {
  scale_all(gradient + first, factor, last - first);
}

#define NIRTRANS_INSTANTIATE(T)                                                                                    \
  template void cross_entropy_cpu<T>(const CrossEntropyInput<T>&, const CrossEntropyOutput<T>&, int64_t, int64_t); \
  template void scale_gradient_cpu<T>(T*, Compute<T>, int64_t, int64_t);

NIRTRANS_INSTANTIATE(Half)
NIRTRANS_INSTANTIATE(BFloat16)
NIRTRANS_INSTANTIATE(float)
NIRTRANS_INSTANTIATE(double)
#undef NIRTRANS_INSTANTIATE

}  // namespace nirtrans::core
