#pragma once

#include <algorithm>
#include <type_traits>

#include "../core/kernels.h"

// Blocks of pixels as three rows of compute precision: every kernel sees the same layout and length, whatever the
// storage, so its loop is compiled once and has no remainder to treat apart. Rows that already lie so are used in
// place; all others pass through a buffer in the first-level cache.
namespace nirtrans::core {

template <typename Real>
struct Rows {
  Real* c0;
  Real* c1;
  Real* c2;
};

template <typename Real>
struct alignas(64) Block {
  Real rows[3][kBlock];
};

// Where one block lies in a tensor.
struct Span {
  int64_t offset;          // of its first element
  int64_t count;           // pixels, at most kBlock
  int64_t channel_stride;  // elements; 1 if the colours are interleaved
};

inline Span locate(const Pixels& pixels, int64_t block) {
  const int64_t image = block / blocks_per_image(pixels);
  const int64_t start = (block % blocks_per_image(pixels)) * kBlock;
  const int64_t count = std::min(kBlock, pixels.plane - start);
  if (pixels.interleaved) return {3 * start, count, 1};
  return {3 * image * pixels.plane + start, count, pixels.plane};
}

// Pixels that the loops run over: whole vectors of every instruction set, so that no remainder loop ever runs.
inline int64_t padded(int64_t count) { return (count + 15) / 16 * 16; }

void load_plane(const Half* from, int64_t count, float* to);
void load_plane(const BFloat16* from, int64_t count, float* to);
void load_plane(const float* from, int64_t count, float* to);
void load_plane(const double* from, int64_t count, double* to);
void load_interleaved(const Half* from, int64_t count, Rows<float> to);
void load_interleaved(const BFloat16* from, int64_t count, Rows<float> to);
void load_interleaved(const float* from, int64_t count, Rows<float> to);
void load_interleaved(const double* from, int64_t count, Rows<double> to);
void store_plane(const float* from, int64_t count, Half* to);
void store_plane(const float* from, int64_t count, BFloat16* to);
void store_plane(const float* from, int64_t count, float* to);
void store_plane(const double* from, int64_t count, double* to);
void store_interleaved(Rows<float> from, int64_t count, Half* to);
void store_interleaved(Rows<float> from, int64_t count, BFloat16* to);
void store_interleaved(Rows<float> from, int64_t count, float* to);
void store_interleaved(Rows<double> from, int64_t count, double* to);

template <typename T>
bool usable_in_place(const Span& span) {
  return std::is_same_v<T, Compute<T>> && span.channel_stride != 1 && span.count % 16 == 0;
}

// The rows to write: those of the tensor, or those of the block, which `store` then brings to the tensor.
template <typename T>
Rows<Compute<T>> rows_of(T* tensor, const Span& span, Block<Compute<T>>& block) {
  if constexpr (std::is_same_v<T, Compute<T>>) {
    T* first = tensor + span.offset;
    if (usable_in_place<T>(span)) return {first, first + span.channel_stride, first + 2 * span.channel_stride};
  }
  return {block.rows[0], block.rows[1], block.rows[2]};
}

// The rows to read, loaded into the block unless the tensor can be read in place.
template <typename T>
Rows<const Compute<T>> load(const T* tensor, const Span& span, Block<Compute<T>>& block) {
  const Rows<Compute<T>> rows = rows_of(const_cast<T*>(tensor), span, block);
  if (usable_in_place<T>(span)) return {rows.c0, rows.c1, rows.c2};
  const T* first = tensor + span.offset;
  if (span.channel_stride == 1) {
    load_interleaved(first, span.count, rows);
  } else {
    load_plane(first, span.count, rows.c0);
    load_plane(first + span.channel_stride, span.count, rows.c1);
    load_plane(first + 2 * span.channel_stride, span.count, rows.c2);
  }
  for (auto& row : block.rows) std::fill(row + span.count, row + padded(span.count), Compute<T>(0));
  return {rows.c0, rows.c1, rows.c2};
}

template <typename T>
void store(Rows<Compute<T>> rows, const Span& span, T* tensor) {
  if (usable_in_place<T>(span)) return;
  T* first = tensor + span.offset;
  if (span.channel_stride == 1) return store_interleaved(rows, span.count, first);
  store_plane(rows.c0, span.count, first);
  store_plane(rows.c1, span.count, first + span.channel_stride);
  store_plane(rows.c2, span.count, first + 2 * span.channel_stride);
}

}  // namespace nirtrans::core
