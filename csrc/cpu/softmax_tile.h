#pragma once

#include <algorithm>
#include <limits>
#include <vector>

#include "encode.h"

// A tile of logits as rows of compute precision, one row of kTile pixels per class: every loop over pixels has the same
// length and no remainder. The rows stand packed in the second-level cache; rows of a tensor, which often lie a power
// of two apart, would evict one another.
namespace nirtrans::core {

// Classes are summed in groups, so that sums are loaded and stored once per group.
constexpr int64_t kGroup = 4;

inline int64_t padded_classes(int64_t classes) { return (classes + kGroup - 1) / kGroup * kGroup; }

// Where the classes of one tile lie in a tensor.
template <typename T>
struct ClassRows {
  T* start;
  int64_t count;  // pixels, at most kTile
  int64_t classes;
  int64_t pixel_stride, class_stride;
  const T* next;  // the tile to fetch ahead, or null

  NIRTRANS_HD bool whole() const { return pixel_stride == 1 && count == kTile; }
};

template <typename T>
ClassRows<T> locate_rows(T* tensor, const Planes& layout, const Tile& tile) {
  T* start = tensor + layout.offset(tile.image, tile.start);
  const bool whole_follows = tile.start + 2 * kTile <= layout.plane && !layout.interleaved;
  return {start,
          tile.count,
          layout.channels,
          layout.pixel_stride(),
          layout.channel_stride(),
          whole_follows ? start + kTile : nullptr};
}

// Scratch of one thread: the rows and the largest logit of each pixel.
template <typename Real>
class Scratch {
 public:
  explicit Scratch(int64_t classes) : storage_(padded_classes(classes) * kTile + kCacheLine / sizeof(Real)) {
    const auto past = reinterpret_cast<uintptr_t>(storage_.data()) % kCacheLine;
    rows = storage_.data() + (past == 0 ? 0 : kCacheLine - past) / sizeof(Real);
  }
  Real* rows;  // [padded_classes][kTile]
  alignas(64) Real largest[kTile];

 private:
  static constexpr size_t kCacheLine = 64;
  std::vector<Real> storage_;
};

// Pixels of an interleaved tensor that are brought to rows at a time: their lines stay in the first-level cache.
constexpr int64_t kTransposed = 16;

template <typename T, typename Real>
NIRTRANS_HD void load_interleaved_rows(const ClassRows<const T>& from, Real* __restrict__ rows) {
  for (int64_t first = 0; first < from.count; first += kTransposed) {
    const int64_t count = from.count - first < kTransposed ? from.count - first : kTransposed;
    const T* __restrict__ in = from.start + first * from.pixel_stride;
    if (count == kTransposed) {
      for (int64_t q = 0; q < from.classes; ++q)
        for (int64_t i = 0; i < kTransposed; ++i) rows[q * kTile + first + i] = widen(in[i * from.pixel_stride + q]);
    } else {
      for (int64_t q = 0; q < from.classes; ++q)
        for (int64_t i = 0; i < count; ++i) rows[q * kTile + first + i] = widen(in[i * from.pixel_stride + q]);
    }
  }
}

// Copy the logits to the rows and -inf to their padding, and find the largest of each pixel. NaN does not count here:
// it shows in the sums.
template <typename T, typename Real>
NIRTRANS_HD void load_rows(const ClassRows<const T>& from, Real* __restrict__ rows, Real* __restrict__ largest) {
  constexpr Real kLowest = -std::numeric_limits<Real>::infinity();
  if (from.class_stride == 1) load_interleaved_rows<T, Real>(from, rows);
  for (int64_t i = 0; i < kTile; ++i) largest[i] = kLowest;
  for (int64_t q = 0; q < from.classes; ++q) {
    Real* row = rows + q * kTile;
    const T* __restrict__ in = from.start + q * from.class_stride;
    if (from.whole()) {
      for (int64_t i = 0; i < kTile; ++i) row[i] = widen(in[i]);
    } else {
      if (from.class_stride != 1)
        for (int64_t i = 0; i < from.count; ++i) row[i] = widen(in[i]);
      for (int64_t i = from.count; i < kTile; ++i) row[i] = Real(0);
    }
    for (int64_t i = 0; i < kTile; ++i) largest[i] = row[i] > largest[i] ? row[i] : largest[i];
  }
  for (int64_t i = from.classes * kTile; i < padded_classes(from.classes) * kTile; ++i) rows[i] = kLowest;
}

// Write one row of results to a tensor.
template <typename T, typename Real>
NIRTRANS_HD void store_row(const Real* __restrict__ row, const ClassRows<T>& to, int64_t q) {
  T* __restrict__ out = to.start + q * to.class_stride;
  if (to.whole()) {
    for (int64_t i = 0; i < kTile; ++i) narrow(row[i], out[i]);
  } else {
    for (int64_t i = 0; i < to.count; ++i) narrow(row[i], out[i * to.pixel_stride]);
  }
}

template <typename T>
NIRTRANS_HD void fetch_ahead(const ClassRows<const T>& rows, int64_t q) {
  if (rows.next == nullptr || q >= rows.classes) return;
  const char* row = reinterpret_cast<const char*>(rows.next + q * rows.class_stride);
  for (size_t byte = 0; byte < kTile * sizeof(T); byte += 64) __builtin_prefetch(row + byte);
}

}  // namespace nirtrans::core
