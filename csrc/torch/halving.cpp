#include "halving.h"

#include <torch/csrc/stable/library.h>

#include <vector>

#include "pages.h"
#include "stream.h"

// The levels of MS-SSIM: images halved on the way down, gradients added on the way back.
namespace nirtrans::binding {
namespace {

constexpr int64_t kGrain = 64;  // coarse rows

std::vector<int64_t> coarse_shape(const core::SsimShape& fine) {
  return {fine.images, fine.channels, core::halved_length(fine.height), core::halved_length(fine.width)};
}

void check_planar(const Tensor& tensor, const std::vector<int64_t>& shape, const Tensor& gradient, const char* what) {
  bool fits = tensor.dim() == static_cast<int64_t>(shape.size()) && tensor.is_contiguous();
  for (size_t i = 0; fits && i < shape.size(); ++i) fits = tensor.size(i) == shape[i];
  STD_TORCH_CHECK(fits && tensor.scalar_type() == compute_type(gradient) && tensor.is_cuda() == gradient.is_cuda(),
                  "add_halved_gradient_: expected ", what, " contiguous, in compute precision, on one device");
}

void add_halved_gradient_(Tensor gradient, const Tensor& factors, const Tensor& coarse) {
  STD_TORCH_CHECK(gradient.dim() == 4 && (gradient.is_contiguous() || is_interleaved(gradient)),
                  "add_halved_gradient_: expected a gradient (N, C, H, W), contiguous or channels-last");
  const core::SsimShape shape = {gradient.size(0), gradient.size(1), gradient.size(2), gradient.size(3),
                                 !gradient.is_contiguous()};
  check_planar(factors, {shape.images, shape.channels}, gradient, "factors (N, C)");
  check_planar(coarse, coarse_shape(shape), gradient, "a coarse gradient (N, C, (H + 1) / 2, (W + 1) / 2)");
  if (gradient.numel() == 0) return;
  for_storage_type(gradient, "add_halved_gradient_", [&](auto* type) {
    using T = Pointee<decltype(type)>;
    T* to = output<T>(gradient);
    const auto* by = input<core::Compute<T>>(factors);
    const auto* from = input<core::Compute<T>>(coarse);
    if constexpr (kWithCuda) {
      if (gradient.is_cuda())
        return on_cuda(gradient, "add_halved_gradient_",
                       [&](void* stream) { return core::add_halved_gradient_cuda(to, by, from, shape, stream); });
    }
    on_cpu(core::coarse_rows(shape), kGrain,
           [&](int64_t first, int64_t last) { core::add_halved_gradient_cpu(to, by, from, shape, first, last); });
  });
}

}  // namespace

Tensor halved(const Tensor& image, const core::SsimShape& shape) {
  const Tensor coarse = fresh(image, coarse_shape(shape), compute_type(image));
  if (image.numel() == 0) return coarse;
  for_storage_type(image, "ssim_planes", [&](auto* type) {
    using T = Pointee<decltype(type)>;
    const T* from = input<T>(image);
    auto* to = output<core::Compute<T>>(coarse);
    if constexpr (kWithCuda) {
      if (image.is_cuda())
        return on_cuda(image, "ssim_planes", [&](void* stream) { return core::halve_cuda(from, to, shape, stream); });
    }
    on_cpu(core::coarse_rows(shape), kGrain,
           [&](int64_t first, int64_t last) { core::halve_cpu(from, to, shape, first, last); });
  });
  return coarse;
}

STABLE_TORCH_LIBRARY_IMPL(nirtrans, CPU, m) { m.impl("add_halved_gradient_", TORCH_BOX(&add_halved_gradient_)); }

#if defined(NIRTRANS_CUDA_ARCHS)
STABLE_TORCH_LIBRARY_IMPL(nirtrans, CUDA, m) { m.impl("add_halved_gradient_", TORCH_BOX(&add_halved_gradient_)); }
#endif

}  // namespace nirtrans::binding
