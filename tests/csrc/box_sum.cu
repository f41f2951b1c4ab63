// A kernel with shared memory and a barrier, and faults that can be planted in it: what the emulator has to catch.
#include <cstdio>
#include <vector>

#include "cuda/launch.h"

constexpr int kThreads = 64;
#if defined(PLANT_OFF_BY_ONE)
constexpr int kHalo = 1;
#else
constexpr int kHalo = 2;
#endif

// out[i] = in[i] + in[i + 1] + in[i + 2]: every thread loads one element, two of them the halo as well.
__global__ void box_sum(const float* in, float* out) {
  __shared__ float tile[kThreads + kHalo];
  const int t = threadIdx.x, start = blockIdx.x * kThreads;
  tile[t] = in[start + t];
  if (t < 2) tile[kThreads + t] = in[start + kThreads + t];
#if defined(PLANT_DIVERGENCE)
  if (t > 0) __syncthreads();
#elif !defined(PLANT_MISSING_BARRIER)
  __syncthreads();
#endif
  out[start + t] = tile[t] + tile[t + 1] + tile[t + 2];
}

int main() {
  constexpr int kBlocks = 3;
  std::vector<float> in(kBlocks * kThreads + 2), out(kBlocks * kThreads);
  for (size_t i = 0; i < in.size(); ++i) in[i] = static_cast<float>(i * i % 97);
  const int error = LAUNCH(box_sum, dim3(kBlocks), dim3(kThreads), 0, nullptr, in.data(), out.data());
  if (error != 0) return std::printf("launch failed: %d\n", error), 2;
  for (size_t i = 0; i < out.size(); ++i)
    if (out[i] != in[i] + in[i + 1] + in[i + 2]) return std::printf("wrong sum at %zu\n", i), 1;
  return 0;
}
