#include <pybind11/stl.h>

#include <optional>
#include <stdexcept>
#include <vector>

#include "../core/ssim_kernels.h"
#include "faces.h"

namespace nirtrans::binding {
namespace {

// Planar arrays (N, C, H, W), and a mask (N, 1, H, W).
template <typename T>
using Planar = py::array_t<T, py::array::c_style>;
using Mask = std::optional<Planar<bool>>;

struct Request {
  core::SsimShape shape;
  core::SsimSettings settings;
};

template <typename T>
Request request_of(const Planar<T>& x, const Planar<T>& y, const Mask& mask, int64_t window, double sigma, double c1,
                   double c2, int64_t padding, bool contrast, int64_t threads) {
  bool fits = x.ndim() == 4 && y.ndim() == 4 && threads >= 1 && core::ssim_settings_fit(window, sigma, padding);
  for (int axis = 0; fits && axis < 4; ++axis) fits = x.shape(axis) == y.shape(axis);
  if (fits && mask) fits = mask->size() == x.shape(0) * x.shape(2) * x.shape(3);
  if (!fits)
    throw std::invalid_argument(
        "expected arrays (N, C, H, W) of equal shape, a mask (N, 1, H, W), an odd window of 3 "
        "to 33, a positive sigma, padding 0, 1 or 2, and at least one thread");
  return {{x.shape(0), x.shape(1), x.shape(2), x.shape(3), false},
          core::ssim_settings(window, sigma, c1, c2, padding, contrast)};
}

template <typename T>
core::SsimTensors<T> tensors_of(const Planar<T>& x, const Planar<T>& y, const Mask& mask) {
  core::SsimTensors<T> tensors{};
  tensors.x = x.data(), tensors.y = y.data();
  if (mask) tensors.mask = static_cast<const uint8_t*>(static_cast<const void*>(mask->data()));
  return tensors;
}

template <typename T>
void sweep(const core::SsimTensors<T>& tensors, const Request& request, int64_t threads) {
  on_threads(core::ssim_units(request.shape), threads, [&](int64_t first, int64_t last) {
    if (first < last) core::ssim_cpu(tensors, request.shape, request.settings, first, last);
  });
}

// values: (N, C), the sums of the map.
template <typename T>
void ssim_plane_sums(const Planar<T>& x, const Planar<T>& y, const Mask& mask, Planar<double>& values, int64_t window,
                     double sigma, double c1, double c2, int64_t padding, bool contrast, int64_t threads) {
  const Request request = request_of(x, y, mask, window, sigma, c1, c2, padding, contrast, threads);
  if (values.size() != request.shape.planes()) throw std::invalid_argument("expected one value per plane");
  core::SsimTensors<T> tensors = tensors_of(x, y, mask);
  double* to = values.mutable_data();
  const py::gil_scoped_release released;
  std::vector<double> sums(2 * core::ssim_units(request.shape));
  tensors.sums = sums.data();
  sweep(tensors, request, threads);
  core::ssim_add_up(sums.data(), to, core::ssim_tiles(request.shape), 0, request.shape.planes(), request.settings);
}

// map: (N, C, Ho, Wo).
template <typename T>
void ssim_map(const Planar<T>& x, const Planar<T>& y, const Mask& mask, Planar<T>& map, int64_t window, double sigma,
              double c1, double c2, int64_t padding, bool contrast, int64_t threads) {
  const Request request = request_of(x, y, mask, window, sigma, c1, c2, padding, contrast, threads);
  const core::Axis rows = core::axis_of(request.shape.height, request.settings);
  const core::Axis columns = core::axis_of(request.shape.width, request.settings);
  if (map.size() != request.shape.planes() * (rows.high - rows.low) * (columns.high - columns.low))
    throw std::invalid_argument("expected a map of one value per window");
  core::SsimTensors<T> tensors = tensors_of(x, y, mask);
  tensors.map = map.mutable_data();
  const py::gil_scoped_release released;
  sweep(tensors, request, threads);
}

template <typename T>
void define(py::module_& m) {
  m.def("ssim_plane_sums", &ssim_plane_sums<T>, py::arg("x").noconvert(), py::arg("y").noconvert(),
        py::arg("mask").noconvert(), py::arg("values").noconvert(), py::arg("window"), py::arg("sigma"), py::arg("c1"),
        py::arg("c2"), py::arg("padding"), py::arg("contrast"), py::arg("threads"));
  m.def("ssim_map", &ssim_map<T>, py::arg("x").noconvert(), py::arg("y").noconvert(), py::arg("mask").noconvert(),
        py::arg("map").noconvert(), py::arg("window"), py::arg("sigma"), py::arg("c1"), py::arg("c2"),
        py::arg("padding"), py::arg("contrast"), py::arg("threads"));
}

}  // namespace

void define_ssim(py::module_& m) {
  define<float>(m);
  define<double>(m);
}

}  // namespace nirtrans::binding
