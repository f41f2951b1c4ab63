#pragma once

#include <torch/csrc/stable/ops.h>
#include <torch/csrc/stable/tensor.h>

#include "../core/kernels.h"

// Guards against misuse of the raw operators and the layouts that kernels read in place. Users meet the checks of
// nirtrans/kernels, which raise TypeError and ValueError; these arrive as RuntimeError.
namespace nirtrans::binding {

using torch::headeronly::ScalarType;
using torch::stable::Tensor;

inline void check_color_image(const Tensor& image, const char* op) {
  STD_TORCH_CHECK(image.dim() >= 3 && image.size(image.dim() - 3) == 3, op, ": expected a tensor (..., 3, H, W)");
}

// A gradient belongs to its tensor: same shape, dtype and device.
inline void check_like(const Tensor& grad, const Tensor& image, const char* op) {
  const auto expected = image.sizes(), got = grad.sizes();
  bool same = expected.size() == got.size();
  for (size_t i = 0; same && i < expected.size(); ++i) same = expected[i] == got[i];
  STD_TORCH_CHECK(same, op, ": expected a gradient of the shape of the image");
  STD_TORCH_CHECK(grad.scalar_type() == image.scalar_type() && grad.is_cuda() == image.is_cuda() &&
                      grad.get_device_index() == image.get_device_index(),
                  op, ": expected a gradient of the dtype and on the device of the image");
}

// Whether (..., 3, H, W) lies in memory as (..., H, W, 3); strides of dimensions of size 1 do not count.
inline bool is_interleaved(const Tensor& image) {
  const int64_t dims = image.dim();
  int64_t expected = 1;
  for (int64_t step = 0; step < dims; ++step) {
    // Innermost first: channel, width, height, then the leading dimensions.
    const int64_t d = step == 0 ? dims - 3 : step < 3 ? dims - step : dims - 1 - step;
    if (image.size(d) != 1 && image.stride(d) != expected) return false;
    expected *= image.size(d);
  }
  return true;
}

// The tensor itself if the kernels can read it in place, else a contiguous copy.
inline Tensor readable(const Tensor& image) {
  return image.is_contiguous() || is_interleaved(image) ? image : torch::stable::contiguous(image);
}

// `grad` in the layout of `image`, copied only if it differs.
inline Tensor in_layout_of(const Tensor& image, const Tensor& grad) {
  if (image.is_contiguous() ? grad.is_contiguous() : !grad.is_contiguous() && is_interleaved(grad)) return grad;
  Tensor copy = torch::stable::empty_like(image);
  return torch::stable::copy_(copy, grad);
}

inline core::Pixels pixels_of(const Tensor& image) {
  const int64_t plane = image.size(image.dim() - 2) * image.size(image.dim() - 1);
  const int64_t images = plane == 0 ? 0 : image.numel() / (3 * plane);
  if (image.is_contiguous()) return {images, plane, false};
  return {1, images * plane, true};
}

template <typename T>
const T* input(const Tensor& tensor) {
  return static_cast<const T*>(tensor.const_data_ptr());
}

template <typename T>
T* output(const Tensor& tensor) {
  return static_cast<T*>(tensor.mutable_data_ptr());
}

// The dtype in which a kernel computes, and of what it returns besides images and gradients.
inline ScalarType compute_type(const Tensor& tensor) {
  return tensor.scalar_type() == ScalarType::Double ? ScalarType::Double : ScalarType::Float;
}

template <typename Pointer>
using Pointee = std::remove_pointer_t<Pointer>;

// Call `body` with a null pointer of the storage type.
template <typename Body>
void for_storage_type(const Tensor& image, const char* op, const Body& body) {
  switch (image.scalar_type()) {
    case ScalarType::Half: return body(static_cast<core::Half*>(nullptr));
    case ScalarType::BFloat16: return body(static_cast<core::BFloat16*>(nullptr));
    case ScalarType::Float: return body(static_cast<float*>(nullptr));
    case ScalarType::Double: return body(static_cast<double*>(nullptr));
    default: STD_TORCH_CHECK(false, op, ": expected float16, bfloat16, float32 or float64");
  }
}

}  // namespace nirtrans::binding
