#pragma once

#include <cstdint>

#include "half.h"

// Every entry point of the kernels: raw pointers, 64-bit sizes, an opaque stream. T is Half, BFloat16, float or double.
namespace nirtrans::core {

// How colour images lie in memory: planar [images, 3, plane], or interleaved [images * plane, 3] with images = 1.
struct Pixels {
  int64_t images;
  int64_t plane;  // pixels of one image
  bool interleaved;
};

// CPU kernels work on whole blocks of pixels of one image, numbered from 0; any partition of the blocks among threads
// gives the same bits.
constexpr int64_t kBlock = 512;

inline int64_t blocks_per_image(const Pixels& pixels) { return (pixels.plane + kBlock - 1) / kBlock; }
inline int64_t block_count(const Pixels& pixels) { return pixels.images * blocks_per_image(pixels); }

template <typename T>
void rgb_to_lab_cpu(const T* rgb, T* lab, const Pixels& pixels, int64_t first, int64_t last);
template <typename T>
void rgb_to_lab_backward_cpu(const T* grad_lab, const T* rgb, T* grad_rgb, const Pixels& pixels, int64_t first,
                             int64_t last);
template <typename T>
void lab_to_rgb_cpu(const T* lab, T* rgb, bool clip, const Pixels& pixels, int64_t first, int64_t last);
template <typename T>
void lab_to_rgb_backward_cpu(const T* grad_rgb, const T* lab, T* grad_lab, bool clip, const Pixels& pixels,
                             int64_t first, int64_t last);

// Launch on `stream` of the current device; the result is a cudaError_t, 0 if the launch succeeded.
template <typename T>
int rgb_to_lab_cuda(const T* rgb, T* lab, const Pixels& pixels, void* stream);
template <typename T>
int rgb_to_lab_backward_cuda(const T* grad_lab, const T* rgb, T* grad_rgb, const Pixels& pixels, void* stream);
template <typename T>
int lab_to_rgb_cuda(const T* lab, T* rgb, bool clip, const Pixels& pixels, void* stream);
template <typename T>
int lab_to_rgb_backward_cuda(const T* grad_rgb, const T* lab, T* grad_lab, bool clip, const Pixels& pixels,
                             void* stream);

}  // namespace nirtrans::core
