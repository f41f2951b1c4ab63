#include <stdexcept>

#include "../core/bins_kernels.h"
#include "../core/candidates.h"
#include "faces.h"

namespace nirtrans::binding {
namespace {

template <typename T>
void encode_ab(const py::array_t<T>& ab, const py::array_t<float>& bins, double sigma, bool interleaved,
               py::array_t<int64_t>& index, py::array_t<T>& weight, int64_t threads) {
  if (ab.ndim() != 4 || ab.shape(1) != 2 || bins.ndim() != 2 || bins.shape(1) != 2 || index.ndim() != 4 ||
      index.shape(1) < 1 || index.shape(1) > bins.shape(0) || 2 * index.size() != index.shape(1) * ab.size() ||
      weight.size() != index.size() || threads < 1)
    throw std::invalid_argument("encode_ab: expected (N, 2, H, W), (Q, 2) and results (N, K, H, W) with K <= Q");
  if (ab.size() == 0) return;
  const core::Planes planes{ab.shape(0), 2, ab.shape(2) * ab.shape(3), interleaved};
  const core::Encoding encoding{static_cast<int32_t>(index.shape(1)), 1 / (2 * sigma * sigma)};
  const T* from = ab.data();
  const float* table = bins.data();
  const int32_t count = static_cast<int32_t>(bins.shape(0));
  int64_t* bin = index.mutable_data();
  T* share = weight.mutable_data();
  const py::gil_scoped_release released;
  const auto indexed = core::indexed_bins(table, count, encoding.neighbors);
  on_threads(core::tile_count(planes), threads, [&](int64_t first, int64_t last) {
    core::encode_ab_cpu(from, planes, indexed->table(), encoding, bin, share, first, last);
  });
}

template <typename T>
void define(py::module_& m) {
  m.def("encode_ab", &encode_ab<T>, py::arg("ab").noconvert(), py::arg("bins").noconvert(), py::arg("sigma"),
        py::arg("interleaved"), py::arg("index").noconvert(), py::arg("weight").noconvert(), py::arg("threads"));
}

}  // namespace

void define_bins(py::module_& m) {
  define<float>(m);
  define<double>(m);
}

}  // namespace nirtrans::binding
