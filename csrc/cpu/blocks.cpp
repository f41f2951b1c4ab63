#include "blocks.h"

#include "clones.h"

namespace nirtrans::core {
namespace {

template <typename From, typename To>
NIRTRANS_HD void convert_row(const From* __restrict__ from, int64_t from_stride, To* __restrict__ to, int64_t to_stride,
                             int64_t count) {
  for (int64_t i = 0; i < count; ++i) narrow(widen(from[i * from_stride]), to[i * to_stride]);
}

// Contiguous rows get a loop of their own, which vectorises.
template <typename From, typename To>
NIRTRANS_HD void gather_row(const From* from, int64_t stride, int64_t count, To* to) {
  if (stride == 1)
    convert_row(from, 1, to, 1, count);
  else
    convert_row(from, stride, to, 1, count);
}

template <typename From, typename To>
NIRTRANS_HD void scatter_row(const From* from, int64_t stride, int64_t count, To* to) {
  if (stride == 1)
    convert_row(from, 1, to, 1, count);
  else
    convert_row(from, 1, to, stride, count);
}

}  // namespace

void load_row(const float* from, int64_t stride, int64_t count, float* to) { gather_row(from, stride, count, to); }
void load_row(const double* from, int64_t stride, int64_t count, double* to) { gather_row(from, stride, count, to); }
void store_row(const float* from, int64_t stride, int64_t count, float* to) { scatter_row(from, stride, count, to); }
void store_row(const double* from, int64_t stride, int64_t count, double* to) { scatter_row(from, stride, count, to); }

NIRTRANS_CLONES void load_row(const Half* from, int64_t stride, int64_t count, float* to) {
  gather_row(from, stride, count, to);
}
NIRTRANS_CLONES void load_row(const BFloat16* from, int64_t stride, int64_t count, float* to) {
  gather_row(from, stride, count, to);
}
NIRTRANS_CLONES void store_row(const float* from, int64_t stride, int64_t count, Half* to) {
  scatter_row(from, stride, count, to);
}
NIRTRANS_CLONES void store_row(const float* from, int64_t stride, int64_t count, BFloat16* to) {
  scatter_row(from, stride, count, to);
}

}  // namespace nirtrans::core
