#include <stdexcept>

#include "../core/annealed_kernels.h"
#include "faces.h"

namespace nirtrans::binding {
namespace {

template <typename T>
void annealed_mean(const py::array_t<T>& logits, const py::array_t<float>& bins, double temperature, bool interleaved,
                   py::array_t<T>& ab, int64_t threads) {
  if (logits.ndim() != 4 || bins.ndim() != 2 || bins.shape(1) != 2 || bins.shape(0) != logits.shape(1) ||
      bins.shape(0) * ab.size() != 2 * logits.size() || threads < 1)
    throw std::invalid_argument("annealed_mean: expected (N, Q, H, W), (Q, 2) and a result (N, 2, H, W)");
  if (logits.size() == 0) return;
  const core::Planes layout{logits.shape(0), logits.shape(1), logits.shape(2) * logits.shape(3), interleaved};
  const T* from = logits.data();
  const float* table = bins.data();
  T* mean = ab.mutable_data();
  const py::gil_scoped_release released;
  on_threads(core::tile_count(layout), threads, [&](int64_t first, int64_t last) {
    core::annealed_mean_cpu(from, layout, table, temperature, mean, first, last);
  });
}

template <typename T>
void define(py::module_& m) {
  m.def("annealed_mean", &annealed_mean<T>, py::arg("logits").noconvert(), py::arg("bins").noconvert(),
        py::arg("temperature"), py::arg("interleaved"), py::arg("ab").noconvert(), py::arg("threads"));
}

}  // namespace

void define_annealed(py::module_& m) {
  define<float>(m);
  define<double>(m);
}

}  // namespace nirtrans::binding
