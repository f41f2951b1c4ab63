#pragma once

#include <cstdint>

#include "bins.h"

// Entry points of the bin kernels; T is Half, BFloat16, float or double.
namespace nirtrans::core {

// How a tensor [images, channels, plane] lies in memory: planar, or interleaved [images, plane, channels].
struct Planes {
  int64_t images;
  int64_t channels;
  int64_t plane;  // pixels of one image
  bool interleaved;

  NIRTRANS_HD int64_t channel_stride() const { return interleaved ? 1 : plane; }
  NIRTRANS_HD int64_t pixel_stride() const { return interleaved ? channels : 1; }
  NIRTRANS_HD int64_t offset(int64_t image, int64_t pixel) const {
    return image * channels * plane + pixel * pixel_stride();
  }
};

// CPU kernels work on tiles of pixels of one image, numbered from 0; any partition among threads gives the same bits.
constexpr int64_t kTile = 128;

inline int64_t tiles_per_image(const Planes& planes) { return (planes.plane + kTile - 1) / kTile; }
inline int64_t tile_count(const Planes& planes) { return planes.images * tiles_per_image(planes); }

// ab: [images, 2, plane]; index and weight: planar [images, neighbors, plane].
template <typename T>
void encode_ab_cpu(const T* ab, const Planes& planes, const BinTable& table, const Encoding& encoding, int64_t* index,
                   Compute<T>* weight, int64_t first, int64_t last);
template <typename T>
int encode_ab_cuda(const T* ab, const Planes& planes, const BinTable& table, const Encoding& encoding, int64_t* index,
                   Compute<T>* weight, void* stream);

}  // namespace nirtrans::core
