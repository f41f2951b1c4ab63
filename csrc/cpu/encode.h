#pragma once

#include "../core/bins_kernels.h"

namespace nirtrans::core {

// One tile of colours a, b in compute precision: bin[k * kTile + i] and weight[k * kTile + i] for neighbour k of pixel
// i.
template <typename Real>
void encode_tile(const Real* a, const Real* b, int64_t count, const BinTable& table, const Encoding& encoding,
                 int32_t* bin, Real* weight);

// Where one tile lies.
struct Tile {
  int64_t image, start, count;  // count: pixels, at most kTile
};

inline Tile locate_tile(const Planes& planes, int64_t tile) {
  const int64_t start = tile % tiles_per_image(planes) * kTile;
  const int64_t count = planes.plane - start < kTile ? planes.plane - start : kTile;
  return {tile / tiles_per_image(planes), start, count};
}

// One channel of a tile, widened.
template <typename T>
void load_channel(const T* tensor, const Planes& planes, const Tile& tile, int64_t channel, Compute<T>* to) {
  const T* from = tensor + planes.offset(tile.image, tile.start) + channel * planes.channel_stride();
  for (int64_t i = 0; i < tile.count; ++i) to[i] = widen(from[i * planes.pixel_stride()]);
}

}  // namespace nirtrans::core
