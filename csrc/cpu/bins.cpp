#include <vector>

#include "clones.h"
#include "encode.h"

namespace nirtrans::core {
namespace {

template <typename Real>
NIRTRANS_HD void find(const Real* a, const Real* b, int64_t count, const BinTable& table, int32_t neighbors,
                      int32_t* bin) {
  for (int64_t i = 0; i < count; ++i)
    for_nearest(table, neighbors, a[i], b[i],
                [&](int32_t k, const Neighbor<Real>& neighbor) { bin[k * kTile + i] = neighbor.bin; });
}

template <typename Real>
NIRTRANS_HD void weigh(const Real* __restrict__ a, const Real* __restrict__ b, int64_t count, const BinTable& table,
                       const Encoding& encoding, const int32_t* __restrict__ bin, Real* __restrict__ weight) {
  const Real falloff = static_cast<Real>(encoding.falloff);
  Real sum[kTile] = {};
  for (int32_t k = 0; k < encoding.neighbors; ++k)
    for (int64_t i = 0; i < count; ++i) {
      const Weighing<Real> weighing{a[i], b[i], falloff, bin[i]};
      const Real relative = weighing(table, bin[k * kTile + i]);
      weight[k * kTile + i] = relative;
      sum[i] += relative;
    }
  for (int64_t i = 0; i < count; ++i) sum[i] = 1 / sum[i];
  for (int32_t k = 0; k < encoding.neighbors; ++k)
    for (int64_t i = 0; i < count; ++i) weight[k * kTile + i] *= sum[i];
}

#define NIRTRANS_ENCODE(Real)                                                                         \
  NIRTRANS_CLONES void find_tile(const Real* a, const Real* b, int64_t count, const BinTable& table,  \
                                 int32_t neighbors, int32_t* bin) {                                   \
    find(a, b, count, table, neighbors, bin);                                                         \
  }                                                                                                   \
  NIRTRANS_CLONES void weigh_tile(const Real* a, const Real* b, int64_t count, const BinTable& table, \
                                  const Encoding& encoding, const int32_t* bin, Real* weight) {       \
    weigh(a, b, count, table, encoding, bin, weight);                                                 \
  }

NIRTRANS_ENCODE(float)
NIRTRANS_ENCODE(double)
#undef NIRTRANS_ENCODE

}  // namespace

template <typename Real>
void encode_tile(const Real* a, const Real* b, int64_t count, const BinTable& table, const Encoding& encoding,
                 int32_t* bin, Real* weight) {
  find_tile(a, b, count, table, encoding.neighbors, bin);
  weigh_tile(a, b, count, table, encoding, bin, weight);
}
template void encode_tile<float>(const float*, const float*, int64_t, const BinTable&, const Encoding&, int32_t*,
                                 float*);
template void encode_tile<double>(const double*, const double*, int64_t, const BinTable&, const Encoding&, int32_t*,
                                  double*);

template <typename T>
void encode_ab_cpu(const T* ab, const Planes& planes, const BinTable& table, const Encoding& encoding, int64_t* index,
                   Compute<T>* weight, int64_t first, int64_t last) {
  using Real = Compute<T>;
  const int64_t neighbors = encoding.neighbors;
  std::vector<int32_t> bin(neighbors * kTile);
  std::vector<Real> share(neighbors * kTile);
  Real a[kTile], b[kTile];
  for (int64_t number = first; number < last; ++number) {
    const Tile tile = locate_tile(planes, number);
    load_channel(ab, planes, tile, 0, a);
    load_channel(ab, planes, tile, 1, b);
    encode_tile(a, b, tile.count, table, encoding, bin.data(), share.data());
    for (int64_t k = 0; k < neighbors; ++k) {
      const int64_t offset = (tile.image * neighbors + k) * planes.plane + tile.start;
      for (int64_t i = 0; i < tile.count; ++i) {
        index[offset + i] = bin[k * kTile + i];
        weight[offset + i] = share[k * kTile + i];
      }
    }
  }
}

#define NIRTRANS_INSTANTIATE(T)                                                                                    \
  template void encode_ab_cpu<T>(const T*, const Planes&, const BinTable&, const Encoding&, int64_t*, Compute<T>*, \
                                 int64_t, int64_t);

NIRTRANS_INSTANTIATE(Half)
NIRTRANS_INSTANTIATE(BFloat16)
NIRTRANS_INSTANTIATE(float)
NIRTRANS_INSTANTIATE(double)
#undef NIRTRANS_INSTANTIATE

}  // namespace nirtrans::core
