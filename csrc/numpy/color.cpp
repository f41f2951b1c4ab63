#include <stdexcept>

#include "../core/kernels.h"
#include "faces.h"

namespace nirtrans::binding {
namespace {

core::Pixels pixels_of(const py::array& image, bool interleaved) {
  const int64_t plane = image.shape(image.ndim() - 2) * image.shape(image.ndim() - 1);
  const int64_t images = plane == 0 ? 0 : image.size() / (3 * plane);
  return interleaved ? core::Pixels{1, images * plane, true} : core::Pixels{images, plane, false};
}

// Call `kernel(in, out, pixels, first, last)` for all blocks, without the GIL.
template <typename T, typename Kernel>
void convert(const py::array& in, py::array& out, bool interleaved, int64_t threads, const Kernel& kernel) {
  if (in.ndim() < 3 || in.size() != out.size() || threads < 1)
    throw std::invalid_argument("expected arrays (..., 3, H, W) of equal size and at least one thread");
  const core::Pixels pixels = pixels_of(in, interleaved);
  const T* from = static_cast<const T*>(in.data());
  T* to = static_cast<T*>(out.mutable_data());
  const py::gil_scoped_release released;
  on_threads(core::block_count(pixels), threads,
             [&](int64_t first, int64_t last) { kernel(from, to, pixels, first, last); });
}

template <typename T>
void rgb_to_lab(const py::array_t<T>& rgb, py::array_t<T>& lab, bool interleaved, int64_t threads) {
  convert<T>(rgb, lab, interleaved, threads, core::rgb_to_lab_cpu<T>);
}

template <typename T>
void lab_to_rgb(const py::array_t<T>& lab, py::array_t<T>& rgb, bool clip, bool interleaved, int64_t threads) {
  convert<T>(lab, rgb, interleaved, threads,
             [clip](const T* from, T* to, const core::Pixels& pixels, int64_t first, int64_t last) {
               core::lab_to_rgb_cpu(from, to, clip, pixels, first, last);
             });
}

template <typename T>
void define(py::module_& m) {
  m.def("rgb_to_lab", &rgb_to_lab<T>, py::arg("rgb").noconvert(), py::arg("lab").noconvert(), py::arg("interleaved"),
        py::arg("threads"));
  m.def("lab_to_rgb", &lab_to_rgb<T>, py::arg("lab").noconvert(), py::arg("rgb").noconvert(), py::arg("clip"),
        py::arg("interleaved"), py::arg("threads"));
}

}  // namespace

void define_color(py::module_& m) {
  define<float>(m);
  define<double>(m);
}

}  // namespace nirtrans::binding
