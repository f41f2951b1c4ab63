#pragma once

#include <cmath>
#include <cstdint>

#include "ssim.h"

// Entry points of SSIM; T is Half, BFloat16, float or double.
namespace nirtrans::core {

inline bool ssim_settings_fit(int64_t window, double sigma, int64_t padding) {
  return window >= 3 && window <= kLargestWindow && window % 2 == 1 && sigma > 0 && padding >= 0 && padding <= 2;
}

// The value alone, with weight 1.
inline SsimSettings ssim_settings(int64_t window, double sigma, double c1, double c2, int64_t padding, bool contrast) {
  SsimSettings settings{};
  settings.window = static_cast<int32_t>(window);
  settings.c1 = c1, settings.c2 = c2, settings.padding = static_cast<Padding>(padding);
  settings.contrast = contrast, settings.weight = 1;
  double sum = 0;
  for (int64_t k = 0; k < window; ++k) {
    const double distance = static_cast<double>(k - window / 2);
    sum += settings.taps[k] = std::exp(-distance * distance / (2 * sigma * sigma));
  }
  for (double& tap : settings.taps) tap /= sum;
  return settings;
}

// [images, channels, height, width], planar, or interleaved as [images, height, width, channels].
struct SsimShape {
  int64_t images, channels, height, width;
  bool interleaved;

  NIRTRANS_HD int64_t planes() const { return images * channels; }
  NIRTRANS_HD int64_t pixel_stride() const { return interleaved ? channels : 1; }
  NIRTRANS_HD int64_t offset(int64_t plane, int64_t y, int64_t x) const {
    const int64_t image = plane / channels, channel = plane % channels, pixel = y * width + x;
    return interleaved ? (image * height * width + pixel) * channels + channel : plane * height * width + pixel;
  }
};

// What a sweep reads and makes; null where absent.
template <typename T>
struct SsimTensors {
  const T* x;
  const T* y;
  const uint8_t* mask;         // [images, height, width], 1: valid
  const Compute<T>* upstream;  // planar gradient of the map, [planes, map height, map width]; null: all 1
  Compute<T>* map;             // planar, as upstream
  T* grad_x;                   // laid out as x
  T* grad_y;
  double* sums;  // [units, 2]: s over the counted points, |x - y| over the valid pixels
};

// Work is cut into tiles of one plane; their number and sums do not depend on the threads.
constexpr int64_t kSsimRows = 256, kSsimColumns = 1024;

inline int64_t ssim_tiles(const SsimShape& shape) {
  return ((shape.height + kSsimRows - 1) / kSsimRows) * ((shape.width + kSsimColumns - 1) / kSsimColumns);
}
inline int64_t ssim_units(const SsimShape& shape) { return shape.planes() * ssim_tiles(shape); }

template <typename T>
void ssim_cpu(const SsimTensors<T>& tensors, const SsimShape& shape, const SsimSettings& settings, int64_t first,
              int64_t last);

// CUDA cuts planes into other tiles; sums: [planes, ssim_cuda_tiles, 2].
template <typename T>
int64_t ssim_cuda_tiles(const SsimShape& shape, const SsimSettings& settings);
template <typename T>
int ssim_cuda(const SsimTensors<T>& tensors, const SsimShape& shape, const SsimSettings& settings, void* stream);
int ssim_add_up_cuda(const double* sums, double* values, int64_t planes, int64_t tiles, const SsimSettings& settings,
                     void* stream);

// values[plane] = weight * sum of s + l1_weight * sum of |x - y|, over the tiles of each plane in their order.
NIRTRANS_HD void ssim_add_up(const double* sums, double* values, int64_t tiles, int64_t first, int64_t last,
                             const SsimSettings& settings) {
  for (int64_t plane = first; plane < last; ++plane) {
    double s = 0, l1 = 0;
    for (int64_t tile = plane * tiles; tile < (plane + 1) * tiles; ++tile)
      s += sums[2 * tile], l1 += sums[2 * tile + 1];
    values[plane] = settings.weight * s + settings.l1_weight * l1;
  }
}

}  // namespace nirtrans::core
