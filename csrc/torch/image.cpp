#include <torch/csrc/stable/library.h>

#include "../core/image_kernels.h"
#include "checks.h"
#include "pages.h"
#include "stream.h"

// Allocation and dispatch between integer images and normalised Lab. The schemas stand in ops.cpp.
namespace nirtrans::binding {
namespace {

// Blocks of pixels that are worth a thread of their own.
constexpr int64_t kGrain = 16;

// Call `body` with null pointers of the level type and of the storage type.
template <typename Body>
void for_types(const Tensor& image, const Tensor& lab, const char* op, const Body& body) {
  for_storage_type(lab, op, [&](auto* type) {
    if (image.scalar_type() == ScalarType::Byte) return body(static_cast<uint8_t*>(nullptr), type);
    STD_TORCH_CHECK(image.scalar_type() == ScalarType::UInt16, op, ": expected an image of uint8 or uint16");
    body(static_cast<uint16_t*>(nullptr), type);
  });
}

std::vector<int64_t> shape_of(const Tensor& tensor) {
  const auto sizes = tensor.sizes();
  return {sizes.begin(), sizes.end()};
}

Tensor image_to_lab(const Tensor& levels, double offset, double l_scale, double ab_scale, ScalarType dtype) {
  STD_TORCH_CHECK(levels.dim() >= 3 && levels.size(levels.dim() - 1) == 3,
                  "image_to_lab: expected a tensor (..., H, W, 3)");
  STD_TORCH_CHECK(dtype != ScalarType::Double, "image_to_lab: expected float16, bfloat16 or float32 as dtype");
  const Tensor image = torch::stable::contiguous(levels);
  std::vector<int64_t> shape = shape_of(image);
  shape.insert(shape.end() - 3, 3);
  shape.pop_back();
  const Tensor lab = fresh(image, shape, dtype);
  if (lab.numel() == 0) return lab;
  const core::LabNorm norm{offset, l_scale, ab_scale};
  const core::Pixels pixels = pixels_of(lab);
  for_types(image, lab, "image_to_lab", [&](auto* level, auto* type) {
    using Level = Pointee<decltype(level)>;
    using T = Pointee<decltype(type)>;
    if constexpr (!std::is_same_v<T, double>) {
      if constexpr (kWithCuda) {
        if (image.is_cuda())
          return on_cuda(image, "image_to_lab", [&](void* stream) {
            return core::image_to_lab_cuda(input<Level>(image), output<T>(lab), norm, pixels, stream);
          });
      }
      on_cpu(core::block_count(pixels), kGrain, [&](int64_t first, int64_t last) {
        core::image_to_lab_cpu(input<Level>(image), output<T>(lab), norm, pixels, first, last);
      });
    }
  });
  return lab;
}

Tensor lab_to_image(const Tensor& color, double offset, double l_scale, double ab_scale, ScalarType dtype) {
  check_color_image(color, "lab_to_image");
  const Tensor lab = readable(color);
  std::vector<int64_t> shape = shape_of(lab);
  shape.erase(shape.end() - 3);
  shape.push_back(3);
  const Tensor image = fresh(lab, shape, dtype);
  if (lab.numel() == 0) return image;
  const core::LabNorm norm{offset, l_scale, ab_scale};
  const core::Pixels pixels = pixels_of(lab);
  for_types(image, lab, "lab_to_image", [&](auto* level, auto* type) {
    using Level = Pointee<decltype(level)>;
    using T = Pointee<decltype(type)>;
    if constexpr (kWithCuda) {
      if (lab.is_cuda())
        return on_cuda(lab, "lab_to_image", [&](void* stream) {
          return core::lab_to_image_cuda(input<T>(lab), output<Level>(image), norm, pixels, stream);
        });
    }
    on_cpu(core::block_count(pixels), kGrain, [&](int64_t first, int64_t last) {
      core::lab_to_image_cpu(input<T>(lab), output<Level>(image), norm, pixels, first, last);
    });
  });
  return image;
}

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(nirtrans, CPU, m) {
  m.impl("image_to_lab", TORCH_BOX(&image_to_lab));
  m.impl("lab_to_image", TORCH_BOX(&lab_to_image));
}

#if defined(NIRTRANS_CUDA_ARCHS)
STABLE_TORCH_LIBRARY_IMPL(nirtrans, CUDA, m) {
  m.impl("image_to_lab", TORCH_BOX(&image_to_lab));
  m.impl("lab_to_image", TORCH_BOX(&lab_to_image));
}
#endif

}  // namespace nirtrans::binding
