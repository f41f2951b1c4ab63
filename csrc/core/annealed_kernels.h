#pragma once

#include "bins_kernels.h"

// Entry points of the annealed mean; T is Half, BFloat16, float or double. `layout` is that of the logits and of their
// gradient; `bins` is [classes, 2]; `ab` and its gradient are planar [images, 2, plane].
namespace nirtrans::core {

template <typename T>
void annealed_mean_cpu(const T* logits, const Planes& layout, const float* bins, double temperature, Compute<T>* ab,
                       int64_t first, int64_t last);
template <typename T>
void annealed_mean_backward_cpu(const Compute<T>* grad_ab, const T* logits, const Planes& layout, const float* bins,
                                double temperature, T* grad_logits, int64_t first, int64_t last);

// Launch on `stream` of the current device; the result is a cudaError_t, 0 if the launch succeeded.
template <typename T>
int annealed_mean_cuda(const T* logits, const Planes& layout, const float* bins, double temperature, Compute<T>* ab,
                       void* stream);
template <typename T>
int annealed_mean_backward_cuda(const Compute<T>* grad_ab, const T* logits, const Planes& layout, const float* bins,
                                double temperature, T* grad_logits, void* stream);

}  // namespace nirtrans::core
