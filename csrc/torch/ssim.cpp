#include <torch/csrc/stable/library.h>

#include <optional>
#include <tuple>
#include <vector>

#include "../core/ssim_kernels.h"
#include "checks.h"
#include "halving.h"
#include "pages.h"
#include "stream.h"

// Allocation and dispatch of the SSIM operators.
namespace nirtrans::binding {
namespace {

using Mask = std::optional<Tensor>;

// x and y as the kernels read them, and how they lie.
struct Pair {
  Tensor x, y;
  core::SsimShape shape;
};

Pair pair_of(const Tensor& first, const Tensor& second, const Mask& mask, const core::SsimSettings& settings,
             const char* op) {
  STD_TORCH_CHECK(first.dim() == 4, op, ": expected tensors (N, C, H, W)");
  check_like(second, first, op);
  const Tensor x = readable(first);
  const Tensor y = in_layout_of(x, second);
  const int64_t smaller = std::min(x.size(2), x.size(3)), radius = settings.window / 2;
  STD_TORCH_CHECK(smaller >= (settings.padding == core::Padding::valid ? settings.window : 1) &&
                      (settings.padding != core::Padding::reflect || smaller > radius),
                  op, ": expected images at least as large as the window");
  if (mask)
    STD_TORCH_CHECK(mask->scalar_type() == ScalarType::Bool && mask->is_contiguous() &&
                        mask->numel() == x.size(0) * x.size(2) * x.size(3) && mask->is_cuda() == x.is_cuda(),
                    op, ": expected a contiguous bool mask (N, 1, H, W) on the device of the images");
  return {x, y, {x.size(0), x.size(1), x.size(2), x.size(3), !x.is_contiguous()}};
}

core::SsimSettings settings_of(int64_t window, double sigma, double c1, double c2, int64_t padding, bool contrast) {
  STD_TORCH_CHECK(core::ssim_settings_fit(window, sigma, padding),
                  "ssim: expected an odd window of 3 to 33, a positive sigma and padding 0, 1 or 2");
  return core::ssim_settings(window, sigma, c1, c2, padding, contrast);
}

std::vector<int64_t> map_shape(const core::SsimShape& shape, const core::SsimSettings& settings) {
  const core::Axis y = core::axis_of(shape.height, settings), x = core::axis_of(shape.width, settings);
  return {shape.images, shape.channels, y.high - y.low, x.high - x.low};
}

Tensor gradient_like(const Tensor& x, bool needed) { return needed ? fresh_like(x) : torch::stable::new_empty(x, {0}); }

// What a sweep writes; undefined where absent.
struct Outputs {
  std::optional<Tensor> upstream, map, grad_x, grad_y, sums;
};

template <typename T>
core::SsimTensors<T> tensors_of(const Pair& pair, const Mask& mask, const Outputs& outputs) {
  using Real = core::Compute<T>;
  core::SsimTensors<T> tensors{};
  tensors.x = input<T>(pair.x), tensors.y = input<T>(pair.y);
  if (mask) tensors.mask = input<uint8_t>(*mask);
  if (outputs.upstream) tensors.upstream = input<Real>(*outputs.upstream);
  if (outputs.map) tensors.map = output<Real>(*outputs.map);
  if (outputs.grad_x) tensors.grad_x = output<T>(*outputs.grad_x);
  if (outputs.grad_y) tensors.grad_y = output<T>(*outputs.grad_y);
  if (outputs.sums) tensors.sums = output<double>(*outputs.sums);
  return tensors;
}

void sweep(const Pair& pair, const Mask& mask, const core::SsimSettings& settings, const Outputs& outputs,
           const char* op) {
  if (pair.x.numel() == 0) return;
  for_storage_type(pair.x, op, [&](auto* type) {
    using T = Pointee<decltype(type)>;
    const core::SsimTensors<T> tensors = tensors_of<T>(pair, mask, outputs);
    if constexpr (kWithCuda) {
      if (pair.x.is_cuda())
        return on_cuda(pair.x, op,
                       [&](void* stream) { return core::ssim_cuda(tensors, pair.shape, settings, stream); });
    }
    on_cpu(core::ssim_units(pair.shape), 1,
           [&](int64_t first, int64_t last) { core::ssim_cpu(tensors, pair.shape, settings, first, last); });
  });
}

int64_t tiles_of(const Pair& pair, const core::SsimSettings& settings) {
  int64_t tiles = core::ssim_tiles(pair.shape);
  if constexpr (kWithCuda) {
    if (pair.x.is_cuda() && pair.x.numel() != 0)
      for_storage_type(pair.x, "ssim_planes", [&](auto* type) {
        tiles = core::ssim_cuda_tiles<Pointee<decltype(type)>>(pair.shape, settings);
      });
  }
  return tiles;
}

// Add up the sums of the tiles of each plane, in their order.
void add_up(const Tensor& sums, int64_t tiles, const core::SsimSettings& settings, const Tensor& values) {
  if (values.numel() == 0) return;
  const double* parts = input<double>(sums);
  double* to = output<double>(values);
  if constexpr (kWithCuda) {
    if (values.is_cuda())
      return on_cuda(values, "ssim_planes", [&](void* stream) {
        return core::ssim_add_up_cuda(parts, to, values.numel(), tiles, settings, stream);
      });
  }
  core::ssim_add_up(parts, to, tiles, 0, values.numel(), settings);
}

using Planes = std::tuple<Tensor, Tensor, Tensor, Tensor, Tensor>;

Planes ssim_planes(const Tensor& first, const Tensor& second, const Mask& mask, int64_t window, double sigma, double c1,
                   double c2, int64_t padding, bool contrast, double weight, double l1_weight, bool need_x, bool need_y,
                   bool halve) {
  core::SsimSettings settings = settings_of(window, sigma, c1, c2, padding, contrast);
  settings.weight = weight, settings.l1_weight = l1_weight;
  const Pair pair = pair_of(first, second, mask, settings, "ssim_planes");
  const int64_t tiles = tiles_of(pair, settings);
  Outputs outputs;
  outputs.sums = torch::stable::new_empty(pair.x, {pair.shape.planes() * tiles, 2}, ScalarType::Double);
  const Tensor grad_x = gradient_like(pair.x, need_x), grad_y = gradient_like(pair.x, need_y);
  if (need_x) outputs.grad_x = grad_x;
  if (need_y) outputs.grad_y = grad_y;
  sweep(pair, mask, settings, outputs, "ssim_planes");
  const Tensor values = torch::stable::new_empty(pair.x, {pair.shape.images, pair.shape.channels}, ScalarType::Double);
  add_up(*outputs.sums, tiles, settings, values);
  const auto half = [&](const Tensor& image) {
    return halve ? halved(image, pair.shape) : torch::stable::new_empty(image, {0}, compute_type(image));
  };
  return {values, grad_x, grad_y, half(pair.x), half(pair.y)};
}

Tensor ssim_map(const Tensor& first, const Tensor& second, const Mask& mask, int64_t window, double sigma, double c1,
                double c2, int64_t padding, bool contrast) {
  const core::SsimSettings settings = settings_of(window, sigma, c1, c2, padding, contrast);
  const Pair pair = pair_of(first, second, mask, settings, "ssim_map");
  Outputs outputs;
  outputs.map = fresh(pair.x, map_shape(pair.shape, settings), compute_type(pair.x));
  sweep(pair, mask, settings, outputs, "ssim_map");
  return *outputs.map;
}

std::tuple<Tensor, Tensor> ssim_map_backward(const Tensor& grad, const Tensor& first, const Tensor& second,
                                             const Mask& mask, int64_t window, double sigma, double c1, double c2,
                                             int64_t padding, bool contrast, bool need_x, bool need_y) {
  const core::SsimSettings settings = settings_of(window, sigma, c1, c2, padding, contrast);
  const Pair pair = pair_of(first, second, mask, settings, "ssim_map_backward");
  int64_t points = 1;
  for (const int64_t size : map_shape(pair.shape, settings)) points *= size;
  STD_TORCH_CHECK(grad.numel() == points && grad.scalar_type() == compute_type(pair.x),
                  "ssim_map_backward: expected a gradient like the map");
  const Tensor grad_x = gradient_like(pair.x, need_x), grad_y = gradient_like(pair.x, need_y);
  Outputs outputs;
  outputs.upstream = torch::stable::contiguous(grad);
  if (need_x) outputs.grad_x = grad_x;
  if (need_y) outputs.grad_y = grad_y;
  sweep(pair, mask, settings, outputs, "ssim_map_backward");
  return {grad_x, grad_y};
}

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(nirtrans, CPU, m) {
  m.impl("ssim_planes", TORCH_BOX(&ssim_planes));
  m.impl("ssim_map", TORCH_BOX(&ssim_map));
  m.impl("ssim_map_backward", TORCH_BOX(&ssim_map_backward));
}

#if defined(NIRTRANS_CUDA_ARCHS)
STABLE_TORCH_LIBRARY_IMPL(nirtrans, CUDA, m) {
  m.impl("ssim_planes", TORCH_BOX(&ssim_planes));
  m.impl("ssim_map", TORCH_BOX(&ssim_map));
  m.impl("ssim_map_backward", TORCH_BOX(&ssim_map_backward));
}
#endif

}  // namespace nirtrans::binding
