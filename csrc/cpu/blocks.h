#pragma once

#include <algorithm>

#include "../core/kernels.h"

// Blocks of pixels as three rows of compute precision in the first-level cache: every kernel sees the same layout,
// length and alignment, whatever the storage type, so its loop is compiled once and has no remainder to treat apart.
namespace nirtrans::core {

template <typename Real>
struct alignas(64) Block {
  Real rows[3][kBlock];
};

// Where one block lies in a tensor.
struct Span {
  int64_t offset;          // of its first element
  int64_t count;           // pixels, at most kBlock
  int64_t pixel_stride;    // elements
  int64_t channel_stride;  // elements
};

inline Span locate(const Pixels& pixels, int64_t block) {
  const int64_t image = block / blocks_per_image(pixels);
  const int64_t start = (block % blocks_per_image(pixels)) * kBlock;
  const int64_t count = std::min(kBlock, pixels.plane - start);
  if (pixels.interleaved) return {3 * start, count, 3, 1};
  return {3 * image * pixels.plane + start, count, 1, pixels.plane};
}

// Pixels that the loops run over: whole vectors of every instruction set, so that no remainder loop ever runs.
inline int64_t padded(int64_t count) { return (count + 15) / 16 * 16; }

void load_row(const float* from, int64_t stride, int64_t count, float* to);
void load_row(const double* from, int64_t stride, int64_t count, double* to);
void load_row(const Half* from, int64_t stride, int64_t count, float* to);
void load_row(const BFloat16* from, int64_t stride, int64_t count, float* to);
void store_row(const float* from, int64_t stride, int64_t count, float* to);
void store_row(const double* from, int64_t stride, int64_t count, double* to);
void store_row(const float* from, int64_t stride, int64_t count, Half* to);
void store_row(const float* from, int64_t stride, int64_t count, BFloat16* to);

template <typename T>
void load(const T* tensor, const Span& span, Block<Compute<T>>& block) {
  for (int c = 0; c < 3; ++c) {
    load_row(tensor + span.offset + c * span.channel_stride, span.pixel_stride, span.count, block.rows[c]);
    std::fill(block.rows[c] + span.count, block.rows[c] + padded(span.count), Compute<T>(0));
  }
}

template <typename T>
void store(const Block<Compute<T>>& block, const Span& span, T* tensor) {
  for (int c = 0; c < 3; ++c)
    store_row(block.rows[c], span.pixel_stride, span.count, tensor + span.offset + c * span.channel_stride);
}

}  // namespace nirtrans::core
