#pragma once

// NIRTRANS_HD marks a function of one pixel or one window: inlined into the loops of the CPU and the kernels of CUDA.
#if defined(__CUDACC__)
#define NIRTRANS_HD __host__ __device__ __forceinline__
#elif defined(__GNUC__)
#define NIRTRANS_HD inline __attribute__((always_inline))
#else
#define NIRTRANS_HD inline
#endif
