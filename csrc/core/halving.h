#pragma once

#include "ssim_kernels.h"

// The levels of MS-SSIM: each halves the images, a coarse pixel being the mean of 2 x 2 fine ones. An odd side is
// padded by one line of zeros in front, which counts. Coarse tensors are planar and in compute precision.
namespace nirtrans::core {

NIRTRANS_HD int64_t halved_length(int64_t length) { return (length + 1) / 2; }

inline int64_t coarse_rows(const SsimShape& fine) { return fine.planes() * halved_length(fine.height); }

// Rows [first, last) of the coarse tensor, counted over all planes.
template <typename T>
void halve_cpu(const T* fine, Compute<T>* coarse, const SsimShape& shape, int64_t first, int64_t last);
template <typename T>
int halve_cuda(const T* fine, Compute<T>* coarse, const SsimShape& shape, void* stream);

// gradient = factors[plane] * gradient + coarse / 4, at the fine pixels of the coarse rows [first, last).
template <typename T>
void add_halved_gradient_cpu(T* gradient, const Compute<T>* factors, const Compute<T>* coarse, const SsimShape& shape,
                             int64_t first, int64_t last);
template <typename T>
int add_halved_gradient_cuda(T* gradient, const Compute<T>* factors, const Compute<T>* coarse, const SsimShape& shape,
                             void* stream);

}  // namespace nirtrans::core
