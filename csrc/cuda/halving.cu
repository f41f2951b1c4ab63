#include <algorithm>

#include "../core/halving.h"
#include "launch.h"

// One thread per coarse pixel and step; its four fine pixels lie in two lines of memory that the neighbours share.
namespace nirtrans::core {
namespace {

constexpr int kThreads = 256;
constexpr int64_t kMaxBlocks = 65535;  // of gridDim.y; the loops of the kernels do the rest

// The fine pixels of coarse pixel i of a plane: body(offset in the tensor) for those that exist.
template <typename Body>
NIRTRANS_HD void for_quarters(const SsimShape& shape, int64_t plane, int64_t i, const Body& body) {
  const int64_t width = halved_length(shape.width);
  const int64_t y = 2 * (i / width) - shape.height % 2, x = 2 * (i % width) - shape.width % 2;
  for (int64_t row = y; row <= y + 1; ++row)
    for (int64_t column = x; column <= x + 1; ++column)
      if (row >= 0 && column >= 0) body(shape.offset(plane, row, column));
}

NIRTRANS_HD int64_t coarse_pixels(const SsimShape& shape) {
  return halved_length(shape.height) * halved_length(shape.width);
}

template <typename T>
__global__ void __launch_bounds__(kThreads)
    halve(const T* __restrict__ fine, Compute<T>* __restrict__ coarse, SsimShape shape) {
  using Real = Compute<T>;
  const int64_t count = coarse_pixels(shape), step = int64_t{gridDim.x} * kThreads;
  for (int64_t plane = blockIdx.y; plane < shape.planes(); plane += gridDim.y)
    for (int64_t i = int64_t{blockIdx.x} * kThreads + threadIdx.x; i < count; i += step) {
      Real sum = 0;
      for_quarters(shape, plane, i, [&](int64_t offset) { sum += widen(fine[offset]); });
      coarse[plane * count + i] = sum / Real(4);
    }
}

template <typename T>
__global__ void __launch_bounds__(kThreads)
    add_halved_gradient(T* __restrict__ gradient, const Compute<T>* __restrict__ factors,
                        const Compute<T>* __restrict__ coarse, SsimShape shape) {
  using Real = Compute<T>;
  const int64_t count = coarse_pixels(shape), step = int64_t{gridDim.x} * kThreads;
  for (int64_t plane = blockIdx.y; plane < shape.planes(); plane += gridDim.y)
    for (int64_t i = int64_t{blockIdx.x} * kThreads + threadIdx.x; i < count; i += step) {
      const Real factor = factors[plane], quarter = coarse[plane * count + i] / Real(4);
      for_quarters(shape, plane, i,
                   [&](int64_t offset) { narrow(factor * widen(gradient[offset]) + quarter, gradient[offset]); });
    }
}

dim3 grid_of(const SsimShape& shape) {
  const int64_t blocks = (halved_length(shape.height) * halved_length(shape.width) + kThreads - 1) / kThreads;
  return dim3(static_cast<unsigned>(std::min(blocks, kMaxBlocks)),
              static_cast<unsigned>(std::min(shape.planes(), kMaxBlocks)));
}

}  // namespace

template <typename T>
int halve_cuda(const T* fine, Compute<T>* coarse, const SsimShape& shape, void* stream) {
  return LAUNCH(halve<T>, grid_of(shape), static_cast<unsigned>(kThreads), 0, stream, fine, coarse, shape);
}

template <typename T>
int add_halved_gradient_cuda(T* gradient, const Compute<T>* factors, const Compute<T>* coarse, const SsimShape& shape,
                             void* stream) {
  return LAUNCH(add_halved_gradient<T>, grid_of(shape), static_cast<unsigned>(kThreads), 0, stream, gradient, factors,
                coarse, shape);
}

#define NIRTRANS_INSTANTIATE(T)                                               \
  template int halve_cuda<T>(const T*, Compute<T>*, const SsimShape&, void*); \
  template int add_halved_gradient_cuda<T>(T*, const Compute<T>*, const Compute<T>*, const SsimShape&, void*);

NIRTRANS_INSTANTIATE(Half)
NIRTRANS_INSTANTIATE(BFloat16)
NIRTRANS_INSTANTIATE(float)
NIRTRANS_INSTANTIATE(double)
#undef NIRTRANS_INSTANTIATE

}  // namespace nirtrans::core
