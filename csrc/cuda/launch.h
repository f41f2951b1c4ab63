#pragma once

// LAUNCH(kernel, grid, block, shared_bytes, stream, arguments...) starts a kernel and yields the cudaError_t as int.
// The same .cu file is compiled by nvcc for devices and by a C++ compiler for the emulator of the tests.
#if defined(__CUDACC__)
#include <cuda_runtime.h>
// Inside a macro the formatter takes the launch brackets apart.
// clang-format off
#define LAUNCH(kernel, grid, block, shared_bytes, stream, ...)                                 \
  ((kernel)<<<grid, block, shared_bytes, static_cast<cudaStream_t>(stream)>>>(__VA_ARGS__),    \
   static_cast<int>(cudaGetLastError()))
// clang-format on
#else
#include "../emu/cuda_emu.h"
#define LAUNCH(kernel, grid, block, shared_bytes, stream, ...) \
  (static_cast<void>(stream), nirtrans::emu::run(grid, block, shared_bytes, [&] { (kernel)(__VA_ARGS__); }))
#endif
