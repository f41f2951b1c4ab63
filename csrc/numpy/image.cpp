#include <stdexcept>

#include "../core/image_kernels.h"
#include "faces.h"

namespace nirtrans::binding {
namespace {

void check(const py::array& image, const py::array& lab, int64_t threads) {
  if (image.ndim() < 3 || image.size() != lab.size() || threads < 1)
    throw std::invalid_argument("expected an image and Lab of equal size and at least one thread");
}

template <typename Level>
void image_to_lab(const py::array_t<Level>& image, py::array_t<float>& lab, double l_offset, double l_scale,
                  double ab_scale, int64_t threads) {
  check(image, lab, threads);
  const int64_t plane = image.shape(image.ndim() - 3) * image.shape(image.ndim() - 2);
  const core::Pixels pixels{plane == 0 ? 0 : image.size() / (3 * plane), plane, false};
  const core::LabNorm norm{l_offset, l_scale, ab_scale};
  const Level* from = image.data();
  float* to = lab.mutable_data();
  const py::gil_scoped_release released;
  on_threads(core::block_count(pixels), threads,
             [&](int64_t first, int64_t last) { core::image_to_lab_cpu(from, to, norm, pixels, first, last); });
}

template <typename T, typename Level>
void lab_to_image(const py::array_t<T>& lab, py::array_t<Level>& image, double l_offset, double l_scale,
                  double ab_scale, bool interleaved, int64_t threads) {
  check(image, lab, threads);
  const int64_t plane = lab.shape(lab.ndim() - 2) * lab.shape(lab.ndim() - 1);
  const int64_t images = plane == 0 ? 0 : lab.size() / (3 * plane);
  const core::Pixels pixels = interleaved ? core::Pixels{1, images * plane, true} : core::Pixels{images, plane, false};
  const core::LabNorm norm{l_offset, l_scale, ab_scale};
  const T* from = lab.data();
  Level* to = image.mutable_data();
  const py::gil_scoped_release released;
  on_threads(core::block_count(pixels), threads,
             [&](int64_t first, int64_t last) { core::lab_to_image_cpu(from, to, norm, pixels, first, last); });
}

template <typename Level>
void define(py::module_& m) {
  m.def("image_to_lab", &image_to_lab<Level>, py::arg("image").noconvert(), py::arg("lab").noconvert(),
        py::arg("l_offset"), py::arg("l_scale"), py::arg("ab_scale"), py::arg("threads"));
  m.def("lab_to_image", &lab_to_image<float, Level>, py::arg("lab").noconvert(), py::arg("image").noconvert(),
        py::arg("l_offset"), py::arg("l_scale"), py::arg("ab_scale"), py::arg("interleaved"), py::arg("threads"));
  m.def("lab_to_image", &lab_to_image<double, Level>, py::arg("lab").noconvert(), py::arg("image").noconvert(),
        py::arg("l_offset"), py::arg("l_scale"), py::arg("ab_scale"), py::arg("interleaved"), py::arg("threads"));
}

}  // namespace

void define_image(py::module_& m) {
  define<uint8_t>(m);
  define<uint16_t>(m);
}

}  // namespace nirtrans::binding
