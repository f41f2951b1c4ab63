#include <algorithm>

#include "../core/image_kernels.h"
#include "launch.h"

// Four pixels per thread: twelve neighbouring levels are read or written as three words where they are aligned, and
// four neighbouring values of each plane.
namespace nirtrans::core {
namespace {

constexpr int kThreads = 256;
constexpr int kPixels = 4;
constexpr int64_t kMaxBlocks = 65535;  // of gridDim.y; the loops of the kernels do the rest

// Twelve levels as words of 32 bits; uint8_t fills three of them, uint16_t six.
template <typename Level>
struct alignas(4) Quad {
  Level levels[3 * kPixels];
};

template <typename Level>
NIRTRANS_HD bool whole_quad(const Level* at, int64_t left) {
  return left >= kPixels && reinterpret_cast<uintptr_t>(at) % alignof(Quad<Level>) == 0;
}

template <typename Level, typename T>
__global__ void __launch_bounds__(kThreads)
    to_lab(const Level* __restrict__ image, T* __restrict__ lab, LabNorm norm, int64_t images, int64_t plane) {
  const int64_t step = int64_t{gridDim.x} * kThreads * kPixels;
  for (int64_t n = blockIdx.y; n < images; n += gridDim.y)
    for (int64_t i = (int64_t{blockIdx.x} * kThreads + threadIdx.x) * kPixels; i < plane; i += step) {
      const Level* from = image + 3 * (n * plane + i);
      const int64_t count = plane - i < kPixels ? plane - i : kPixels;
      Quad<Level> quad{};
      if (whole_quad(from, count)) {
        quad = *reinterpret_cast<const Quad<Level>*>(from);
      } else {
        for (int k = 0; k < 3 * kPixels; ++k) quad.levels[k] = k < 3 * count ? from[k] : Level(0);
      }
      T* to = lab + 3 * n * plane + i;
      for (int k = 0; k < kPixels; ++k) {
        const float scale = static_cast<float>(1 / kTop<Level>);
        const Color<float> color = normalized(rgb_to_lab<float>({static_cast<float>(quad.levels[3 * k]) * scale,
                                                                 static_cast<float>(quad.levels[3 * k + 1]) * scale,
                                                                 static_cast<float>(quad.levels[3 * k + 2]) * scale}),
                                              norm);
        if (k >= count) break;
        narrow(color.c0, to[k]);
        narrow(color.c1, to[plane + k]);
        narrow(color.c2, to[2 * plane + k]);
      }
    }
}

template <typename Level, typename T>
__global__ void __launch_bounds__(kThreads)
    to_image(const T* __restrict__ lab, Level* __restrict__ image, LabNorm norm, Pixels pixels) {
  using Real = Compute<T>;
  const int64_t stride = pixels.interleaved ? 1 : pixels.plane, pixel_stride = pixels.interleaved ? 3 : 1;
  const int64_t step = int64_t{gridDim.x} * kThreads * kPixels;
  for (int64_t n = blockIdx.y; n < pixels.images; n += gridDim.y)
    for (int64_t i = (int64_t{blockIdx.x} * kThreads + threadIdx.x) * kPixels; i < pixels.plane; i += step) {
      const T* from = lab + 3 * n * pixels.plane + i * pixel_stride;
      const int64_t left = pixels.plane - i, count = left < kPixels ? left : kPixels;
      Quad<Level> quad{};
      for (int k = 0; k < kPixels; ++k) {
        const T* pixel = from + (k < count ? k : 0) * pixel_stride;
        const Color<Real> color =
            denormalized<Real>({widen(pixel[0]), widen(pixel[stride]), widen(pixel[2 * stride])}, norm);
        const Color<Real> rgb = lab_to_rgb(color, clip_range<Real>(true));
        quad.levels[3 * k] = level_of<Level>(rgb.c0);
        quad.levels[3 * k + 1] = level_of<Level>(rgb.c1);
        quad.levels[3 * k + 2] = level_of<Level>(rgb.c2);
      }
      Level* to = image + 3 * (n * pixels.plane + i);
      if (whole_quad(to, count)) {
        *reinterpret_cast<Quad<Level>*>(to) = quad;
      } else {
        for (int k = 0; k < 3 * kPixels; ++k)
          if (k < 3 * count) to[k] = quad.levels[k];
      }
    }
}

dim3 grid_of(const Pixels& pixels) {
  constexpr int64_t kPerBlock = int64_t{kThreads} * kPixels;
  const int64_t x = std::min((pixels.plane + kPerBlock - 1) / kPerBlock, kMaxBlocks);
  return dim3(static_cast<unsigned>(x), static_cast<unsigned>(std::min(pixels.images, kMaxBlocks)));
}

}  // namespace

template <typename Level, typename T>
int image_to_lab_cuda(const Level* image, T* lab, const LabNorm& norm, const Pixels& pixels, void* stream) {
  return LAUNCH((to_lab<Level, T>), grid_of(pixels), kThreads, 0, stream, image, lab, norm, pixels.images,
                pixels.plane);
}

template <typename Level, typename T>
int lab_to_image_cuda(const T* lab, Level* image, const LabNorm& norm, const Pixels& pixels, void* stream) {
  return LAUNCH((to_image<Level, T>), grid_of(pixels), kThreads, 0, stream, lab, image, norm, pixels);
}

#define NIRTRANS_INSTANTIATE_TO_IMAGE(Level, T) \
  template int lab_to_image_cuda<Level, T>(const T*, Level*, const LabNorm&, const Pixels&, void*);
#define NIRTRANS_INSTANTIATE(Level, T)                                                              \
  template int image_to_lab_cuda<Level, T>(const Level*, T*, const LabNorm&, const Pixels&, void*); \
  NIRTRANS_INSTANTIATE_TO_IMAGE(Level, T)

NIRTRANS_INSTANTIATE(uint8_t, Half)
NIRTRANS_INSTANTIATE(uint8_t, BFloat16)
NIRTRANS_INSTANTIATE(uint8_t, float)
NIRTRANS_INSTANTIATE_TO_IMAGE(uint8_t, double)
NIRTRANS_INSTANTIATE(uint16_t, Half)
NIRTRANS_INSTANTIATE(uint16_t, BFloat16)
NIRTRANS_INSTANTIATE(uint16_t, float)
NIRTRANS_INSTANTIATE_TO_IMAGE(uint16_t, double)
#undef NIRTRANS_INSTANTIATE
#undef NIRTRANS_INSTANTIATE_TO_IMAGE

}  // namespace nirtrans::core
