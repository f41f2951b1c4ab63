#pragma once

#include "bins_kernels.h"

// Entry points of the cross-entropy with soft targets; T is Half, BFloat16, float or double.
namespace nirtrans::core {

template <typename T>
struct CrossEntropyInput {
  const T* logits;
  Planes layout;         // of logits and gradient
  const Compute<T>* ab;  // colours of the targets, planar [images, 2, plane]
  BinTable table;
  Encoding encoding;
  const Compute<T>* class_weight;  // [classes] or null: all 1
  const bool* skipped;             // [images] with neither loss nor gradient, or null: none
};

// Null where a result is not wanted.
template <typename T>
struct CrossEntropyOutput {
  Compute<T>* loss;  // [images, plane]
  double* partial;   // sums of the loss, one per CPU tile or CUDA block
  T* gradient;
  const Compute<T>* upstream;  // gradient of the loss, [images, plane], or one number; null: 1
  bool per_pixel;              // whether `upstream` has a number for each pixel
  const Compute<T>* scale;     // a number that multiplies the gradient; null: 1
};

template <typename T>
void cross_entropy_cpu(const CrossEntropyInput<T>& in, const CrossEntropyOutput<T>& out, int64_t first, int64_t last);

// Multiply elements first to last by a factor.
template <typename T>
void scale_gradient_cpu(T* gradient, Compute<T> factor, int64_t first, int64_t last);

// Launch on `stream` of the current device; the result is a cudaError_t, 0 if the launch succeeded.
template <typename T>
int cross_entropy_cuda(const CrossEntropyInput<T>& in, const CrossEntropyOutput<T>& out, void* stream);

// Blocks of a launch, each of which writes one partial sum; they do not depend on the device.
template <typename T>
int64_t cross_entropy_cuda_blocks(const Planes& layout);

// loss = scale * sum of the partial sums, in fixed order.
template <typename Real>
int finish_loss_cuda(const double* partial, int64_t count, const Real* scale, Real* loss, void* stream);

// Multiply by a factor on the device; a factor of 1 leaves the gradient unread.
template <typename T>
int scale_gradient_cuda(T* gradient, const Compute<T>* factor, int64_t count, void* stream);

}  // namespace nirtrans::core
