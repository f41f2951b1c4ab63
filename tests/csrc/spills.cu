// More live values than a thread has registers: the spill gate must refuse this kernel.
__global__ void __launch_bounds__(1024, 2) spills(const float* in, float* out) {
  float live[96];
#pragma unroll
  for (int i = 0; i < 96; ++i) live[i] = in[i * 1024 + threadIdx.x];
  __syncthreads();
#pragma unroll
  for (int i = 0; i < 96; ++i) out[i * 1024 + threadIdx.x] = live[i] * live[95 - i];
}
