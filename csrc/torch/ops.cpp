#include <torch/csrc/stable/library.h>

#include "../cpu/clones.h"

// The schemas of all operators, once. Fake kernels and autograd are registered in Python.
STABLE_TORCH_LIBRARY(nirtrans, m) {
  m.def("rgb_to_lab(Tensor rgb) -> Tensor");
  m.def("rgb_to_lab_backward(Tensor grad_lab, Tensor rgb) -> Tensor");
  m.def("lab_to_rgb(Tensor lab, bool clip) -> Tensor");
  m.def("lab_to_rgb_backward(Tensor grad_rgb, Tensor lab, bool clip) -> Tensor");
  m.def("image_to_lab(Tensor image, float offset, float l_scale, float ab_scale, ScalarType dtype) -> Tensor");
  m.def("lab_to_image(Tensor lab, float offset, float l_scale, float ab_scale, ScalarType dtype) -> Tensor");
  m.def("encode_ab(Tensor ab, Tensor bins, int neighbors, float sigma) -> (Tensor index, Tensor weight)");
  // padding: 0 valid, 1 reflect, 2 zero. planes: weight * sum of s (or cs) + l1_weight * sum of |x - y|, (N, C)
  // float64. Gradients that are not needed, and the images at half their size unless `halve`, are empty.
  m.def(
      "ssim_planes(Tensor x, Tensor y, Tensor? mask, int window, float sigma, float c1, float c2, int padding, "
      "bool contrast, float weight, float l1_weight, bool need_x, bool need_y, bool halve) -> "
      "(Tensor planes, Tensor grad_x, Tensor grad_y, Tensor half_x, Tensor half_y)");
  m.def(
      "ssim_map(Tensor x, Tensor y, Tensor? mask, int window, float sigma, float c1, float c2, int padding, "
      "bool contrast) -> Tensor");
  m.def(
      "ssim_map_backward(Tensor grad, Tensor x, Tensor y, Tensor? mask, int window, float sigma, float c1, float c2, "
      "int padding, bool contrast, bool need_x, bool need_y) -> (Tensor grad_x, Tensor grad_y)");
  // gradient = factors * gradient + the gradient of having been halved
  m.def("add_halved_gradient_(Tensor(a!) gradient, Tensor factors, Tensor coarse) -> ()");
  m.def("annealed_mean(Tensor logits, Tensor bins, float temperature) -> Tensor");
  m.def("annealed_mean_backward(Tensor grad_ab, Tensor logits, Tensor bins, float temperature) -> Tensor");
  m.def(
      "soft_cross_entropy(Tensor logits, Tensor ab, Tensor bins, Tensor? class_weight, Tensor? skipped, Tensor scale, "
      "int neighbors, float sigma, bool per_pixel, bool with_gradient) -> (Tensor loss, Tensor gradient)");
  m.def(
      "soft_cross_entropy_backward(Tensor grad_loss, Tensor logits, Tensor ab, Tensor bins, Tensor? class_weight, "
      "Tensor? skipped, Tensor scale, int neighbors, float sigma) -> Tensor");
  m.def("scale_gradient_(Tensor(a!) gradient, Tensor factor) -> ()");
}

// Defined by setup.py when the CUDA kernels are compiled in.
#if !defined(NIRTRANS_CUDA_ARCHS)
#define NIRTRANS_CUDA_ARCHS ""
#endif

// What was built, as space-separated names; read through ctypes by build_info().
extern "C" __attribute__((visibility("default"))) const char* nirtrans_cpu_isa() { return NIRTRANS_CPU_ISA; }
extern "C" __attribute__((visibility("default"))) const char* nirtrans_cuda_archs() { return NIRTRANS_CUDA_ARCHS; }
