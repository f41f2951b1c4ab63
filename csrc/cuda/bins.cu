#include <algorithm>

#include "../core/bins_kernels.h"
#include "launch.h"

// One thread per pixel and step; the lists of neighbouring pixels mostly share their cache lines.
namespace nirtrans::core {
namespace {

constexpr int kThreads = 256;
constexpr int64_t kMaxBlocks = 65535;  // of gridDim.y; the loops of the kernel do the rest

// Keeps what for_nearest finds for one pixel.
template <typename Real>
struct Write {
  const BinTable& table;
  int64_t* index;
  Real* weight;
  int64_t stride;  // between neighbours
  Weighing<Real> weighing;
  Real sum;

  NIRTRANS_HD void operator()(int32_t k, const Neighbor<Real>& neighbor) {
    if (k == 0) weighing.nearest = neighbor.bin;
    const Real relative = weighing(table, neighbor.bin);
    index[k * stride] = neighbor.bin;
    weight[k * stride] = relative;
    sum += relative;
  }
};

template <typename T>
__global__ void __launch_bounds__(kThreads, 4)
    encode(const T* __restrict__ ab, Planes planes, BinTable table, Encoding encoding, int64_t* __restrict__ index,
           Compute<T>* __restrict__ weight) {
  using Real = Compute<T>;
  const int64_t step = int64_t{gridDim.x} * kThreads;
  for (int64_t image = blockIdx.y; image < planes.images; image += gridDim.y)
    for (int64_t i = int64_t{blockIdx.x} * kThreads + threadIdx.x; i < planes.plane; i += step) {
      const T* pixel = ab + planes.offset(image, i);
      const int64_t offset = image * encoding.neighbors * planes.plane + i;
      const Real a = widen(pixel[0]), b = widen(pixel[planes.channel_stride()]);
      const Weighing<Real> weighing{a, b, static_cast<Real>(encoding.falloff), 0};
      Write<Real> write{table, index + offset, weight + offset, planes.plane, weighing, 0};
      for_nearest(table, encoding.neighbors, a, b, write);
      for (int32_t k = 0; k < encoding.neighbors; ++k) weight[offset + k * planes.plane] /= write.sum;
    }
}

}  // namespace

template <typename T>
int encode_ab_cuda(const T* ab, const Planes& planes, const BinTable& table, const Encoding& encoding, int64_t* index,
                   Compute<T>* weight, void* stream) {
  const int64_t x = std::min((planes.plane + kThreads - 1) / kThreads, kMaxBlocks);
  const dim3 grid(static_cast<unsigned>(x), static_cast<unsigned>(std::min(planes.images, kMaxBlocks)));
  return LAUNCH((encode<T>), grid, kThreads, 0, stream, ab, planes, table, encoding, index, weight);
}

#define NIRTRANS_INSTANTIATE(T)                                                                                    \
  template int encode_ab_cuda<T>(const T*, const Planes&, const BinTable&, const Encoding&, int64_t*, Compute<T>*, \
                                 void*);

NIRTRANS_INSTANTIATE(Half)
NIRTRANS_INSTANTIATE(BFloat16)
NIRTRANS_INSTANTIATE(float)
NIRTRANS_INSTANTIATE(double)
#undef NIRTRANS_INSTANTIATE

}  // namespace nirtrans::core
