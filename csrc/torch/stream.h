#pragma once

#include <torch/csrc/stable/accelerator.h>
#include <torch/csrc/stable/ops.h>
#include <torch/csrc/stable/tensor.h>

// Where a kernel runs: on torch's threads, or on the current stream of the tensor's CUDA device.

// Exported by CUDA builds of torch only. Weak, so that the library with CUDA kernels loads with a CPU torch as well,
// where no CUDA tensor can ever ask for it.
extern "C" __attribute__((weak)) AOTITorchError aoti_torch_get_current_cuda_stream(int32_t device, void** stream);

namespace nirtrans::binding {

#if defined(NIRTRANS_CUDA_ARCHS)
inline constexpr bool kWithCuda = true;
#else
inline constexpr bool kWithCuda = false;
#endif

// Cut `count` units of work among torch's threads, at least `grain` for each: range(first, last).
template <typename Range>
void on_cpu(int64_t count, int64_t grain, const Range& range) {
  torch::stable::parallel_for(0, count, grain, range);
}

template <typename Launch>
void on_cuda(const torch::stable::Tensor& image, const char* op, const Launch& launch) {
  const torch::stable::accelerator::DeviceGuard guard(image.get_device_index());
  STD_TORCH_CHECK(aoti_torch_get_current_cuda_stream != nullptr, op, ": this torch has no CUDA streams");
  void* stream = nullptr;
  STD_TORCH_CHECK(aoti_torch_get_current_cuda_stream(image.get_device_index(), &stream) == 0, op,
                  ": torch did not name its current CUDA stream");
  const int error = launch(stream);
  STD_TORCH_CHECK(error == 0, op, ": the CUDA launch failed with cudaError ", error);
}

}  // namespace nirtrans::binding
