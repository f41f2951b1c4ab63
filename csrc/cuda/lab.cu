#include <algorithm>

#include "../core/kernels.h"
#include "../core/lab.h"
#include "launch.h"

// One thread per pixel and step: no reuse, no shared memory, bound by bandwidth.
namespace nirtrans::core {
namespace {

constexpr int kThreads = 256;
constexpr int64_t kMaxBlocks = 65535;  // of gridDim.y; the loops of the kernels do the rest

struct RgbToLab {
  template <typename Real>
  NIRTRANS_HD Color<Real> operator()(Color<Real> rgb) const {
    return rgb_to_lab(rgb);
  }
  template <typename Real>
  NIRTRANS_HD Color<Real> backward(Color<Real> grad_lab, Color<Real> rgb) const {
    return rgb_to_lab_backward(grad_lab, rgb);
  }
};

struct LabToRgb {
  bool clip;
  template <typename Real>
  NIRTRANS_HD Color<Real> operator()(Color<Real> lab) const {
    return lab_to_rgb(lab, clip_range<Real>(clip));
  }
  template <typename Real>
  NIRTRANS_HD Color<Real> backward(Color<Real> grad_rgb, Color<Real> lab) const {
    return lab_to_rgb_backward(grad_rgb, lab, clip_range<Real>(clip));
  }
};

template <typename T>
NIRTRANS_HD Color<Compute<T>> read(const T* pixel, int64_t channel_stride) {
  return {widen(pixel[0]), widen(pixel[channel_stride]), widen(pixel[2 * channel_stride])};
}

template <typename T>
NIRTRANS_HD void write(Color<Compute<T>> color, T* pixel, int64_t channel_stride) {
  narrow(color.c0, pixel[0]);
  narrow(color.c1, pixel[channel_stride]);
  narrow(color.c2, pixel[2 * channel_stride]);
}

// Offset in elements of pixel i of an image, without a 64-bit division.
NIRTRANS_HD int64_t offset_of(const Pixels& pixels, int64_t image, int64_t i) {
  return 3 * image * pixels.plane + (pixels.interleaved ? 3 * i : i);
}

template <typename T, typename Op>
__global__ void __launch_bounds__(kThreads)
    convert(const T* __restrict__ in, T* __restrict__ out, Pixels pixels, Op op) {
  const int64_t stride = pixels.interleaved ? 1 : pixels.plane;
  const int64_t step = int64_t{gridDim.x} * kThreads;
  for (int64_t image = blockIdx.y; image < pixels.images; image += gridDim.y)
    for (int64_t i = int64_t{blockIdx.x} * kThreads + threadIdx.x; i < pixels.plane; i += step) {
      const int64_t offset = offset_of(pixels, image, i);
      write<T>(op(read(in + offset, stride)), out + offset, stride);
    }
}

template <typename T, typename Op>
__global__ void __launch_bounds__(kThreads)
    pull_back(const T* __restrict__ grad_out, const T* __restrict__ in, T* __restrict__ grad_in, Pixels pixels, Op op) {
  const int64_t stride = pixels.interleaved ? 1 : pixels.plane;
  const int64_t step = int64_t{gridDim.x} * kThreads;
  for (int64_t image = blockIdx.y; image < pixels.images; image += gridDim.y)
    for (int64_t i = int64_t{blockIdx.x} * kThreads + threadIdx.x; i < pixels.plane; i += step) {
      const int64_t offset = offset_of(pixels, image, i);
      write<T>(op.backward(read(grad_out + offset, stride), read(in + offset, stride)), grad_in + offset, stride);
    }
}

dim3 grid_of(const Pixels& pixels) {
  const int64_t x = std::min((pixels.plane + kThreads - 1) / kThreads, kMaxBlocks);
  return dim3(static_cast<unsigned>(x), static_cast<unsigned>(std::min(pixels.images, kMaxBlocks)));
}

}  // namespace

template <typename T>
int rgb_to_lab_cuda(const T* rgb, T* lab, const Pixels& pixels, void* stream) {
  return LAUNCH((convert<T, RgbToLab>), grid_of(pixels), kThreads, 0, stream, rgb, lab, pixels, RgbToLab{});
}

template <typename T>
int rgb_to_lab_backward_cuda(const T* grad_lab, const T* rgb, T* grad_rgb, const Pixels& pixels, void* stream) {
  return LAUNCH((pull_back<T, RgbToLab>), grid_of(pixels), kThreads, 0, stream, grad_lab, rgb, grad_rgb, pixels,
                RgbToLab{});
}

template <typename T>
int lab_to_rgb_cuda(const T* lab, T* rgb, bool clip, const Pixels& pixels, void* stream) {
  return LAUNCH((convert<T, LabToRgb>), grid_of(pixels), kThreads, 0, stream, lab, rgb, pixels, LabToRgb{clip});
}

template <typename T>
int lab_to_rgb_backward_cuda(const T* grad_rgb, const T* lab, T* grad_lab, bool clip, const Pixels& pixels,
                             void* stream) {
  return LAUNCH((pull_back<T, LabToRgb>), grid_of(pixels), kThreads, 0, stream, grad_rgb, lab, grad_lab, pixels,
                LabToRgb{clip});
}

#define NIRTRANS_INSTANTIATE(T)                                                           \
  template int rgb_to_lab_cuda<T>(const T*, T*, const Pixels&, void*);                    \
  template int lab_to_rgb_cuda<T>(const T*, T*, bool, const Pixels&, void*);              \
  template int rgb_to_lab_backward_cuda<T>(const T*, const T*, T*, const Pixels&, void*); \
  template int lab_to_rgb_backward_cuda<T>(const T*, const T*, T*, bool, const Pixels&, void*);

NIRTRANS_INSTANTIATE(Half)
NIRTRANS_INSTANTIATE(BFloat16)
NIRTRANS_INSTANTIATE(float)
NIRTRANS_INSTANTIATE(double)
#undef NIRTRANS_INSTANTIATE

}  // namespace nirtrans::core
