#pragma once

#include <algorithm>
#include <limits>

#include "../core/bins_kernels.h"
#include "launch.h"

// A tile of logits in shared memory: read from the device's memory once, in whole lines, then reduced over the classes
// by groups of threads, each group with one thread per pixel. Rows of classes have an odd pitch, so that neither layout
// meets bank conflicts.
namespace nirtrans::core {

constexpr int kTileThreads = 256;
constexpr int kMostPixels = 32;
constexpr int64_t kMostTileBlocks = 16384;

// Cells that leave room for the rest in 48 KiB; as many as classes at least.
template <typename Real>
constexpr int kTileCells = sizeof(Real) == 4 ? 10368 : 5376;

// Blocks that an SM should hold at once: more would need fewer registers than the kernels have live.
template <typename Real>
constexpr int kTileResident = sizeof(Real) == 4 ? 3 : 2;

// How a block shares out a tile, the same for every block of a launch.
struct TileShape {
  int pixels, pitch;
};

template <typename Real>
TileShape shape_of(const Planes& layout) {
  for (int pixels = kMostPixels; pixels > 1; pixels /= 2)
    if (layout.channels * (pixels + 1) <= kTileCells<Real>) return {pixels, pixels + 1};
  return {1, 1};
}

NIRTRANS_HD int64_t tiles_of(const Planes& layout, const TileShape& shape) {
  return layout.images * ((layout.plane + shape.pixels - 1) / shape.pixels);
}

inline unsigned tile_blocks(const Planes& layout, const TileShape& shape) {
  return static_cast<unsigned>(std::min(tiles_of(layout, shape), kMostTileBlocks));
}

#if defined(__CUDACC__)
#define NIRTRANS_DEVICE __device__ __forceinline__
#else
#define NIRTRANS_DEVICE inline
#endif

// One tile as a thread sees it.
struct TileView {
  int64_t image, start;
  int count;         // pixels in the tile
  int pixel, group;  // of this thread
  int groups, pitch;
  int classes;

  NIRTRANS_DEVICE TileView(const Planes& layout, const TileShape& shape, int64_t tile) {
    const int64_t per_image = (layout.plane + shape.pixels - 1) / shape.pixels;
    image = tile / per_image;
    start = tile % per_image * shape.pixels;
    const int64_t rest = layout.plane - start;
    count = rest < shape.pixels ? static_cast<int>(rest) : shape.pixels;
    pixel = static_cast<int>(threadIdx.x) % shape.pixels;
    group = static_cast<int>(threadIdx.x) / shape.pixels;
    groups = kTileThreads / shape.pixels;
    pitch = shape.pitch;
    classes = static_cast<int>(layout.channels);
  }
  NIRTRANS_DEVICE bool active() const { return pixel < count; }
  // Whether this thread answers for its pixel.
  NIRTRANS_DEVICE bool leads() const { return group == 0 && active(); }
};

// Call `visit(cell, element)` for this thread's share, neighbouring threads on neighbouring elements.
template <typename T, typename Visit>
NIRTRANS_DEVICE void for_elements(T* tensor, const Planes& layout, const TileView& view, const Visit& visit) {
  T* first = tensor + layout.offset(view.image, view.start);
  if (layout.interleaved) {
    const unsigned classes = view.classes, total = view.count * classes;
    for (unsigned i = threadIdx.x; i < total; i += kTileThreads)
      visit(static_cast<int>(i % classes) * view.pitch + static_cast<int>(i / classes), first[i]);
  } else if (view.active()) {
    for (int q = view.group; q < view.classes; q += view.groups)
      visit(q * view.pitch + view.pixel, first[q * layout.plane + view.pixel]);
  }
}

template <typename Real>
struct LoadCell {
  Real* cells;
  template <typename T>
  NIRTRANS_DEVICE void operator()(int cell, const T& element) const {
    cells[cell] = widen(element);
  }
};

template <typename Real>
struct StoreCell {
  const Real* cells;
  template <typename T>
  NIRTRANS_DEVICE void operator()(int cell, T& element) const {
    narrow(cells[cell], element);
  }
};

// Combine a value of each group into one per pixel, in the order of the groups; every thread of the block must call.
template <typename Real>
NIRTRANS_DEVICE Real sum_over_groups(Real value, const TileView& view, Real* scratch) {
  scratch[threadIdx.x] = value;
  __syncthreads();
  Real sum = 0;
  const int pixels = kTileThreads / view.groups;
  for (int group = 0; group < view.groups; ++group) sum += scratch[group * pixels + view.pixel];
  __syncthreads();
  return sum;
}

template <typename Real>
NIRTRANS_DEVICE Real largest_over_groups(Real value, const TileView& view, Real* scratch) {
  scratch[threadIdx.x] = value;
  __syncthreads();
  Real largest = value;
  const int pixels = kTileThreads / view.groups;
  for (int group = 0; group < view.groups; ++group) {
    const Real other = scratch[group * pixels + view.pixel];
    largest = other > largest ? other : largest;
  }
  __syncthreads();
  return largest;
}

// The largest logit of this thread's pixel; NaN does not count.
template <typename Real>
NIRTRANS_DEVICE Real largest_logit(const Real* cells, const TileView& view, Real* scratch) {
  Real largest = -Real(HUGE_VAL);
  if (view.active())
    for (int q = view.group; q < view.classes; q += view.groups) {
      const Real logit = cells[q * view.pitch + view.pixel];
      largest = logit > largest ? logit : largest;
    }
  return largest_over_groups(largest, view, scratch);
}

}  // namespace nirtrans::core
