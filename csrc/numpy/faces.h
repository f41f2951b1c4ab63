#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <thread>
#include <vector>

// The CPU kernels on NumPy arrays, one file per family. Shapes, dtypes and layouts are checked in Python, in
// nirtrans/numpy_kernels.
namespace nirtrans::binding {

namespace py = pybind11;

// Cut `count` units of work into `threads` ranges of nearly equal length; the last runs on the calling thread.
template <typename Range>
void on_threads(int64_t count, int64_t threads, const Range& range) {
  std::vector<std::thread> workers;
  for (int64_t t = 0; t + 1 < threads; ++t)
    workers.emplace_back([=, &range] { range(count * t / threads, count * (t + 1) / threads); });
  range(count * (threads - 1) / threads, count);
  for (std::thread& worker : workers) worker.join();
}

void define_annealed(py::module_& m);
void define_bins(py::module_& m);
void define_color(py::module_& m);
void define_image(py::module_& m);
void define_ssim(py::module_& m);

}  // namespace nirtrans::binding
