#include <torch/csrc/stable/library.h>

#include "checks.h"
#include "pages.h"
#include "stream.h"

// Allocation and dispatch of the colour operators. The schemas stand in ops.cpp.
namespace nirtrans::binding {
namespace {

// Blocks of pixels that are worth a thread of their own.
constexpr int64_t kGrain = 16;

// Run `kernel` for an image (..., 3, H, W): kernel(type, pixels, first, last) on the CPU, kernel(type, pixels, stream)
// on CUDA, where type is a null pointer of the storage type.
template <typename Cpu, typename Cuda>
void run(const Tensor& image, const char* op, const Cpu& cpu, const Cuda& cuda) {
  const core::Pixels pixels = pixels_of(image);
  if (image.numel() == 0) return;
  for_storage_type(image, op, [&](auto* type) {
    if constexpr (kWithCuda) {
      if (image.is_cuda()) return on_cuda(image, op, [&](void* stream) { return cuda(type, pixels, stream); });
    }
    on_cpu(core::block_count(pixels), kGrain, [&](int64_t first, int64_t last) { cpu(type, pixels, first, last); });
  });
}

Tensor rgb_to_lab(const Tensor& image) {
  check_color_image(image, "rgb_to_lab");
  const Tensor rgb = readable(image);
  const Tensor lab = fresh_like(rgb);
  run(
      rgb, "rgb_to_lab",
      [&](auto* type, const core::Pixels& pixels, int64_t first, int64_t last) {
        using T = Pointee<decltype(type)>;
        core::rgb_to_lab_cpu(input<T>(rgb), output<T>(lab), pixels, first, last);
      },
      [&](auto* type, const core::Pixels& pixels, void* stream) {
        using T = Pointee<decltype(type)>;
        return core::rgb_to_lab_cuda(input<T>(rgb), output<T>(lab), pixels, stream);
      });
  return lab;
}

Tensor rgb_to_lab_backward(const Tensor& grad, const Tensor& image) {
  check_color_image(image, "rgb_to_lab_backward");
  check_like(grad, image, "rgb_to_lab_backward");
  const Tensor rgb = readable(image), grad_lab = in_layout_of(rgb, grad);
  const Tensor grad_rgb = fresh_like(rgb);
  run(
      rgb, "rgb_to_lab_backward",
      [&](auto* type, const core::Pixels& pixels, int64_t first, int64_t last) {
        using T = Pointee<decltype(type)>;
        core::rgb_to_lab_backward_cpu(input<T>(grad_lab), input<T>(rgb), output<T>(grad_rgb), pixels, first, last);
      },
      [&](auto* type, const core::Pixels& pixels, void* stream) {
        using T = Pointee<decltype(type)>;
        return core::rgb_to_lab_backward_cuda(input<T>(grad_lab), input<T>(rgb), output<T>(grad_rgb), pixels, stream);
      });
  return grad_rgb;
}

Tensor lab_to_rgb(const Tensor& image, bool clip) {
  check_color_image(image, "lab_to_rgb");
  const Tensor lab = readable(image);
  const Tensor rgb = fresh_like(lab);
  run(
      lab, "lab_to_rgb",
      [&](auto* type, const core::Pixels& pixels, int64_t first, int64_t last) {
        using T = Pointee<decltype(type)>;
        core::lab_to_rgb_cpu(input<T>(lab), output<T>(rgb), clip, pixels, first, last);
      },
      [&](auto* type, const core::Pixels& pixels, void* stream) {
        using T = Pointee<decltype(type)>;
        return core::lab_to_rgb_cuda(input<T>(lab), output<T>(rgb), clip, pixels, stream);
      });
  return rgb;
}

Tensor lab_to_rgb_backward(const Tensor& grad, const Tensor& image, bool clip) {
  check_color_image(image, "lab_to_rgb_backward");
  check_like(grad, image, "lab_to_rgb_backward");
  const Tensor lab = readable(image), grad_rgb = in_layout_of(lab, grad);
  const Tensor grad_lab = fresh_like(lab);
  run(
      lab, "lab_to_rgb_backward",
      [&](auto* type, const core::Pixels& pixels, int64_t first, int64_t last) {
        using T = Pointee<decltype(type)>;
        core::lab_to_rgb_backward_cpu(input<T>(grad_rgb), input<T>(lab), output<T>(grad_lab), clip, pixels, first,
                                      last);
      },
      [&](auto* type, const core::Pixels& pixels, void* stream) {
        using T = Pointee<decltype(type)>;
        return core::lab_to_rgb_backward_cuda(input<T>(grad_rgb), input<T>(lab), output<T>(grad_lab), clip, pixels,
                                              stream);
      });
  return grad_lab;
}

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(nirtrans, CPU, m) {
  m.impl("rgb_to_lab", TORCH_BOX(&rgb_to_lab));
  m.impl("rgb_to_lab_backward", TORCH_BOX(&rgb_to_lab_backward));
  m.impl("lab_to_rgb", TORCH_BOX(&lab_to_rgb));
  m.impl("lab_to_rgb_backward", TORCH_BOX(&lab_to_rgb_backward));
}

#if defined(NIRTRANS_CUDA_ARCHS)
STABLE_TORCH_LIBRARY_IMPL(nirtrans, CUDA, m) {
  m.impl("rgb_to_lab", TORCH_BOX(&rgb_to_lab));
  m.impl("rgb_to_lab_backward", TORCH_BOX(&rgb_to_lab_backward));
  m.impl("lab_to_rgb", TORCH_BOX(&lab_to_rgb));
  m.impl("lab_to_rgb_backward", TORCH_BOX(&lab_to_rgb_backward));
}
#endif

}  // namespace nirtrans::binding
