#include "../core/halving.h"

#include <vector>

#include "blocks.h"
#include "clones.h"

namespace nirtrans::core {
namespace {

// Summed up in the order of torch's average pooling.
template <typename Real>
NIRTRANS_HD void average(const Real* __restrict__ upper, const Real* __restrict__ lower, Real* __restrict__ coarse,
                         int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    coarse[i] = (upper[2 * i] + upper[2 * i + 1] + lower[2 * i] + lower[2 * i + 1]) / Real(4);
}

template <typename Real>
NIRTRANS_HD void spread(const Real* __restrict__ coarse, Real factor, Real* __restrict__ fine, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    const Real quarter = coarse[i] / Real(4);
    fine[2 * i] = factor * fine[2 * i] + quarter;
    fine[2 * i + 1] = factor * fine[2 * i + 1] + quarter;
  }
}

#define NIRTRANS_HALVING_ROWS(Real)                                                                     \
  NIRTRANS_CLONES void average_row(const Real* upper, const Real* lower, Real* coarse, int64_t count) { \
    average(upper, lower, coarse, count);                                                               \
  }                                                                                                     \
  NIRTRANS_CLONES void spread_row(const Real* coarse, Real factor, Real* fine, int64_t count) {         \
    spread(coarse, factor, fine, count);                                                                \
  }

NIRTRANS_HALVING_ROWS(float)
NIRTRANS_HALVING_ROWS(double)
#undef NIRTRANS_HALVING_ROWS

// Rows of a fine image in compute precision: in place where they lie so, else through a buffer.
template <typename T>
class FineRows {
  using Real = Compute<T>;

 public:
  explicit FineRows(const SsimShape& shape)
      : shape_(shape), in_place_(std::is_same_v<T, Real> && shape.pixel_stride() == 1), buffer_(shape.width) {}

  Real* load(T* tensor, int64_t plane, int64_t y) {
    T* row = tensor + shape_.offset(plane, y, 0);
    if constexpr (std::is_same_v<T, Real>)
      if (in_place_) return row;
    if (shape_.pixel_stride() == 1) {
      load_plane(row, shape_.width, buffer_.data());
    } else {
      for (int64_t x = 0; x < shape_.width; ++x) buffer_[x] = widen(row[x * shape_.pixel_stride()]);
    }
    return buffer_.data();
  }

  void store(T* tensor, int64_t plane, int64_t y) const {
    if (in_place_) return;
    T* row = tensor + shape_.offset(plane, y, 0);
    if (shape_.pixel_stride() == 1) return store_plane(buffer_.data(), shape_.width, row);
    for (int64_t x = 0; x < shape_.width; ++x) narrow(buffer_[x], row[x * shape_.pixel_stride()]);
  }

 private:
  const SsimShape shape_;
  const bool in_place_;
  std::vector<Real> buffer_;
};

}  // namespace

template <typename T>
void halve_cpu(const T* fine, Compute<T>* coarse, const SsimShape& shape, int64_t first, int64_t last) {
  using Real = Compute<T>;
  const int64_t height = halved_length(shape.height), width = halved_length(shape.width), odd = shape.width % 2;
  FineRows<T> upper_rows(shape), lower_rows(shape);
  const std::vector<Real> zeros(shape.width);
  for (int64_t row = first; row < last; ++row) {
    const int64_t plane = row / height, y = 2 * (row % height) - shape.height % 2;
    T* tensor = const_cast<T*>(fine);
    const Real* upper = y < 0 ? zeros.data() : upper_rows.load(tensor, plane, y);
    const Real* lower = lower_rows.load(tensor, plane, y + 1);
    Real* to = coarse + row * width;
    if (odd) to[0] = (upper[0] + lower[0]) / Real(4);
    average_row(upper + odd, lower + odd, to + odd, width - odd);
  }
}

template <typename T>
void add_halved_gradient_cpu(T* gradient, const Compute<T>* factors, const Compute<T>* coarse, const SsimShape& shape,
                             int64_t first, int64_t last) {
  using Real = Compute<T>;
  const int64_t height = halved_length(shape.height), width = halved_length(shape.width), odd = shape.width % 2;
  FineRows<T> rows(shape);
  for (int64_t row = first; row < last; ++row) {
    const int64_t plane = row / height, top = 2 * (row % height) - shape.height % 2;
    const Real* from = coarse + row * width;
    for (const int64_t y : {top, top + 1}) {
      if (y < 0) continue;
      Real* fine = rows.load(gradient, plane, y);
      if (odd) fine[0] = factors[plane] * fine[0] + from[0] / Real(4);
      spread_row(from + odd, factors[plane], fine + odd, width - odd);
      rows.store(gradient, plane, y);
    }
  }
}

#define NIRTRANS_INSTANTIATE(T)                                                                                 \
  template void halve_cpu<T>(const T*, Compute<T>*, const SsimShape&, int64_t, int64_t);                        \
  template void add_halved_gradient_cpu<T>(T*, const Compute<T>*, const Compute<T>*, const SsimShape&, int64_t, \
                                           int64_t);

NIRTRANS_INSTANTIATE(Half)
NIRTRANS_INSTANTIATE(BFloat16)
NIRTRANS_INSTANTIATE(float)
NIRTRANS_INSTANTIATE(double)
#undef NIRTRANS_INSTANTIATE

}  // namespace nirtrans::core
