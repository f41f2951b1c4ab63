#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <algorithm>
#include <cstdint>
#include <system_error>
#include <thread>
#include <vector>

// The CPU kernels on NumPy arrays, one file per family. Shapes, dtypes and layouts are checked in Python, in
// nirtrans/numpy_kernels.
namespace nirtrans::binding {

namespace py = pybind11;

// Cut `count` units of work into `threads` ranges of nearly equal length; the last runs on the calling thread, with all
// those for which the system gave no thread.
template <typename Range>
void on_threads(int64_t count, int64_t threads, const Range& range) {
  threads = std::max<int64_t>(1, std::min(threads, count));
  std::vector<std::thread> workers;
  const auto start_of = [=](int64_t part) { return count / threads * part + std::min(part, count % threads); };
  try {
    for (int64_t part = 0; part + 1 < threads; ++part)
      workers.emplace_back([=, &range] { range(start_of(part), start_of(part + 1)); });
  } catch (const std::system_error&) {
  }
  range(start_of(static_cast<int64_t>(workers.size())), count);
  for (std::thread& worker : workers) worker.join();
}

void define_annealed(py::module_& m);
void define_bins(py::module_& m);
void define_color(py::module_& m);
void define_image(py::module_& m);
void define_ssim(py::module_& m);

}  // namespace nirtrans::binding
