#pragma once

// NIRTRANS_DYNAMIC_SHARED(type, name) declares the dynamic shared memory of a kernel as an array of `type`.
// LAUNCH(kernel, grid, block, shared_bytes, stream, arguments...) starts a kernel and yields the cudaError_t as int.
// The same .cu file is compiled by nvcc for devices and by a C++ compiler for the emulator of the tests.
#if defined(__CUDACC__)
#include <cuda_runtime.h>
namespace nirtrans::core {

// More than 48 kB of dynamic shared memory must be asked for, kernel by kernel.
template <typename Kernel>
int allow_shared(Kernel* kernel, size_t bytes) {
  if (bytes <= 48 * 1024) return 0;
  const auto most = cudaFuncAttributeMaxDynamicSharedMemorySize;
  const auto error = cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel), most, static_cast<int>(bytes));
  if (error != cudaSuccess) cudaGetLastError();  // reported here, and must not be found by a later call
  return static_cast<int>(error);
}

}  // namespace nirtrans::core

#define NIRTRANS_DYNAMIC_SHARED(type, name)                         \
  extern __shared__ __align__(16) unsigned char nirtrans_dynamic[]; \
  type* const name = reinterpret_cast<type*>(nirtrans_dynamic)
// Inside a macro the formatter takes the launch brackets apart.
// clang-format off
#define LAUNCH(kernel, grid, block, shared_bytes, stream, ...)                                                 \
  [&] {                                                                                                        \
    if (const int refused = nirtrans::core::allow_shared(kernel, shared_bytes)) return refused;                \
    (kernel)<<<grid, block, shared_bytes, static_cast<cudaStream_t>(stream)>>>(__VA_ARGS__);                   \
    return static_cast<int>(cudaGetLastError());                                                               \
  }()
// clang-format on
#else
#include "../emu/cuda_emu.h"
#define NIRTRANS_DYNAMIC_SHARED(type, name) type* const name = static_cast<type*>(nirtrans::emu::dynamic_shared())
#define LAUNCH(kernel, grid, block, shared_bytes, stream, ...) \
  (static_cast<void>(stream), nirtrans::emu::run(grid, block, shared_bytes, [&] { (kernel)(__VA_ARGS__); }))
#endif
