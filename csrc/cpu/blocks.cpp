#include "blocks.h"

#include "clones.h"

namespace nirtrans::core {
namespace {

template <typename From, typename To>
NIRTRANS_HD void convert(const From* __restrict__ from, int64_t count, To* __restrict__ to) {
  for (int64_t i = 0; i < count; ++i) narrow(widen(from[i]), to[i]);
}

template <typename From, typename To>
NIRTRANS_HD void take_apart(const From* __restrict__ from, int64_t count, To* __restrict__ c0, To* __restrict__ c1,
                            To* __restrict__ c2) {
  for (int64_t i = 0; i < count; ++i) {
    c0[i] = widen(from[3 * i]);
    c1[i] = widen(from[3 * i + 1]);
    c2[i] = widen(from[3 * i + 2]);
  }
}

template <typename From, typename To>
NIRTRANS_HD void put_together(const From* __restrict__ c0, const From* __restrict__ c1, const From* __restrict__ c2,
                              int64_t count, To* __restrict__ to) {
  for (int64_t i = 0; i < count; ++i) {
    narrow(c0[i], to[3 * i]);
    narrow(c1[i], to[3 * i + 1]);
    narrow(c2[i], to[3 * i + 2]);
  }
}

}  // namespace

#define NIRTRANS_CONVERSIONS(T, Real)                                                                    \
  NIRTRANS_CLONES void load_plane(const T* from, int64_t count, Real* to) { convert(from, count, to); }  \
  NIRTRANS_CLONES void store_plane(const Real* from, int64_t count, T* to) { convert(from, count, to); } \
  NIRTRANS_CLONES void load_interleaved(const T* from, int64_t count, Rows<Real> to) {                   \
    take_apart(from, count, to.c0, to.c1, to.c2);                                                        \
  }                                                                                                      \
  NIRTRANS_CLONES void store_interleaved(Rows<Real> from, int64_t count, T* to) {                        \
    put_together(from.c0, from.c1, from.c2, count, to);                                                  \
  }

NIRTRANS_CONVERSIONS(Half, float)
NIRTRANS_CONVERSIONS(BFloat16, float)
NIRTRANS_CONVERSIONS(float, float)
NIRTRANS_CONVERSIONS(double, double)
#undef NIRTRANS_CONVERSIONS

}  // namespace nirtrans::core
