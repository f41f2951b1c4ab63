#include <algorithm>

#include "../core/image_kernels.h"
#include "launch.h"

// Four pixels per thread and step: 12 or 24 bytes of levels, one vector of each Lab plane. Where sizes or addresses
// do not allow that, one pixel per thread.
namespace nirtrans::core {
namespace {

constexpr int kThreads = 256;
constexpr int64_t kMaxBlocks = 65535;  // of gridDim.y; the loops of the kernels do the rest

template <typename T, int kLanes>
struct alignas(sizeof(T) * kLanes) Lanes {
  T at[kLanes];
};

// Three vectors: the three planes of kLanes pixels, or kLanes interleaved pixels in a row.
template <typename T, int kLanes>
struct Pack {
  Lanes<T, kLanes> part[3];

  NIRTRANS_HD const T& interleaved(int i) const { return part[i / kLanes].at[i % kLanes]; }
  NIRTRANS_HD T& interleaved(int i) { return part[i / kLanes].at[i % kLanes]; }
};

template <typename T, int kLanes>
NIRTRANS_HD Pack<T, kLanes> load_pack(const T* from, int64_t stride) {
  Pack<T, kLanes> pack;
  for (int part = 0; part < 3; ++part)
    pack.part[part] = *reinterpret_cast<const Lanes<T, kLanes>*>(from + part * stride);
  return pack;
}

template <typename T, int kLanes>
NIRTRANS_HD void store_pack(const Pack<T, kLanes>& pack, T* to, int64_t stride) {
  for (int part = 0; part < 3; ++part) *reinterpret_cast<Lanes<T, kLanes>*>(to + part * stride) = pack.part[part];
}

template <typename Level, typename T, int kLanes>
__global__ void __launch_bounds__(kThreads)
    to_lab(const Level* __restrict__ image, T* __restrict__ lab, LabNorm norm, Pixels pixels) {
  const int64_t step = int64_t{gridDim.x} * kThreads * kLanes;
  for (int64_t n = blockIdx.y; n < pixels.images; n += gridDim.y)
    for (int64_t i = (int64_t{blockIdx.x} * kThreads + threadIdx.x) * kLanes; i < pixels.plane; i += step) {
      const Pack<Level, kLanes> levels = load_pack<Level, kLanes>(image + 3 * (n * pixels.plane + i), kLanes);
      Pack<T, kLanes> result;
      for (int lane = 0; lane < kLanes; ++lane) {
        const Color<float> color = linear_rgb_to_normalized_lab(
            {linear_of(levels.interleaved(3 * lane)), linear_of(levels.interleaved(3 * lane + 1)),
             linear_of(levels.interleaved(3 * lane + 2))},
            norm);
        narrow(color.c0, result.part[0].at[lane]);
        narrow(color.c1, result.part[1].at[lane]);
        narrow(color.c2, result.part[2].at[lane]);
      }
      store_pack(result, lab + 3 * n * pixels.plane + i, pixels.plane);
    }
}

template <typename Level, typename T, int kLanes, bool kInterleaved>
__global__ void __launch_bounds__(kThreads)
    to_image(const T* __restrict__ lab, Level* __restrict__ image, LabNorm norm, Pixels pixels) {
  using Real = Compute<T>;
  const int64_t step = int64_t{gridDim.x} * kThreads * kLanes;
  for (int64_t n = blockIdx.y; n < pixels.images; n += gridDim.y)
    for (int64_t i = (int64_t{blockIdx.x} * kThreads + threadIdx.x) * kLanes; i < pixels.plane; i += step) {
      const int64_t offset = 3 * n * pixels.plane + (kInterleaved ? 3 * i : i);
      const Pack<T, kLanes> in = load_pack<T, kLanes>(lab + offset, kInterleaved ? kLanes : pixels.plane);
      Pack<Level, kLanes> result;
      for (int lane = 0; lane < kLanes; ++lane) {
        const auto channel = [&](int c) { return kInterleaved ? in.interleaved(3 * lane + c) : in.part[c].at[lane]; };
        const Color<Real> levels =
            normalized_lab_to_levels<Level, Real>({widen(channel(0)), widen(channel(1)), widen(channel(2))}, norm);
        result.interleaved(3 * lane) = static_cast<Level>(static_cast<int32_t>(levels.c0));
        result.interleaved(3 * lane + 1) = static_cast<Level>(static_cast<int32_t>(levels.c1));
        result.interleaved(3 * lane + 2) = static_cast<Level>(static_cast<int32_t>(levels.c2));
      }
      store_pack(result, image + 3 * (n * pixels.plane + i), kLanes);
    }
}

dim3 grid_of(const Pixels& pixels, int lanes) {
  const int64_t y = std::min(pixels.images, kMaxBlocks), per_block = int64_t{kThreads} * lanes;
  const int64_t x = std::min((pixels.plane + per_block - 1) / per_block, kMaxBlocks);
  return dim3(static_cast<unsigned>(x), static_cast<unsigned>(y));
}

template <typename T>
bool allows_vectors(const T* tensor, const Pixels& pixels) {
  return pixels.plane % 4 == 0 && reinterpret_cast<uintptr_t>(tensor) % (4 * sizeof(T)) == 0;
}

template <int kLanes, bool kInterleaved, typename Level, typename T>
int launch_to_image(const T* lab, Level* image, const LabNorm& norm, const Pixels& pixels, void* stream) {
  return LAUNCH((to_image<Level, T, kLanes, kInterleaved>), grid_of(pixels, kLanes), kThreads, 0, stream, lab, image,
                norm, pixels);
}

}  // namespace

template <typename Level, typename T>
int image_to_lab_cuda(const Level* image, T* lab, const LabNorm& norm, const Pixels& pixels, void* stream) {
  if (allows_vectors(image, pixels) && allows_vectors(lab, pixels))
    return LAUNCH((to_lab<Level, T, 4>), grid_of(pixels, 4), kThreads, 0, stream, image, lab, norm, pixels);
  return LAUNCH((to_lab<Level, T, 1>), grid_of(pixels, 1), kThreads, 0, stream, image, lab, norm, pixels);
}

template <typename Level, typename T>
int lab_to_image_cuda(const T* lab, Level* image, const LabNorm& norm, const Pixels& pixels, void* stream) {
  const bool vectors = allows_vectors(image, pixels) && allows_vectors(lab, pixels);
  if (pixels.interleaved)
    return vectors ? launch_to_image<4, true>(lab, image, norm, pixels, stream)
                   : launch_to_image<1, true>(lab, image, norm, pixels, stream);
  return vectors ? launch_to_image<4, false>(lab, image, norm, pixels, stream)
                 : launch_to_image<1, false>(lab, image, norm, pixels, stream);
}

#define NIRTRANS_INSTANTIATE_BACK(Level, T) \
  template int lab_to_image_cuda<Level, T>(const T*, Level*, const LabNorm&, const Pixels&, void*);
#define NIRTRANS_INSTANTIATE(Level, T)                                                              \
  template int image_to_lab_cuda<Level, T>(const Level*, T*, const LabNorm&, const Pixels&, void*); \
  NIRTRANS_INSTANTIATE_BACK(Level, T)

NIRTRANS_INSTANTIATE(uint8_t, Half)
NIRTRANS_INSTANTIATE(uint8_t, BFloat16)
NIRTRANS_INSTANTIATE(uint8_t, float)
NIRTRANS_INSTANTIATE_BACK(uint8_t, double)
NIRTRANS_INSTANTIATE(uint16_t, Half)
NIRTRANS_INSTANTIATE(uint16_t, BFloat16)
NIRTRANS_INSTANTIATE(uint16_t, float)
NIRTRANS_INSTANTIATE_BACK(uint16_t, double)
#undef NIRTRANS_INSTANTIATE
#undef NIRTRANS_INSTANTIATE_BACK

}  // namespace nirtrans::core
