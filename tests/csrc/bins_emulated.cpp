// Compare encode_ab for CUDA, run by the emulator, with the CPU kernel. Exit code 1 names the first difference.
#include <cmath>
#include <cstdio>
#include <random>
#include <vector>

#include "core/bins_kernels.h"
#include "core/candidates.h"

using namespace nirtrans::core;

namespace {

std::mt19937 generator(0);

// Multiples of 1/4 within 200, some of them outside the cells: squared distances are exact, hence so are ties.
template <typename T>
std::vector<T> random_colors(const Planes& planes) {
  std::uniform_int_distribution<int> quarters(-800, 800);
  std::vector<T> ab(2 * planes.images * planes.plane);
  for (T& value : ab) narrow(0.25f * static_cast<float>(quarters(generator)), value);
  narrow(NAN, ab.front());
  return ab;
}
template <>
std::vector<double> random_colors<double>(const Planes& planes) {
  const std::vector<float> ab = random_colors<float>(planes);
  return {ab.begin(), ab.end()};
}

template <typename T>
bool agree(const Planes& planes, const IndexedBins& bins, int32_t neighbors, double tolerance) {
  const std::vector<T> ab = random_colors<T>(planes);
  const size_t size = static_cast<size_t>(planes.images * planes.plane * neighbors);
  std::vector<int64_t> index(size), index_cuda(size);
  std::vector<Compute<T>> weight(size), weight_cuda(size);
  const Encoding encoding{neighbors, 1 / 50.0};
  encode_ab_cpu(ab.data(), planes, bins.table(), encoding, index.data(), weight.data(), 0, tile_count(planes));
  if (encode_ab_cuda(ab.data(), planes, bins.table(), encoding, index_cuda.data(), weight_cuda.data(), nullptr) != 0)
    return false;
  for (size_t i = 0; i < size; ++i) {
    const bool same =
        std::abs(weight[i] - weight_cuda[i]) <= tolerance || (std::isnan(weight[i]) && std::isnan(weight_cuda[i]));
    if (index[i] == index_cuda[i] && same) continue;
    std::printf("K = %d, element %zu: CPU %d with %.9g, CUDA %d with %.9g\n", neighbors, i, int(index[i]),
                double(weight[i]), int(index_cuda[i]), double(weight_cuda[i]));
    return false;
  }
  return true;
}

}  // namespace

int main() {
  std::vector<float> grid;
  for (int a = -40; a <= 40; a += 10)
    for (int b = -30; b <= 30; b += 10) grid.insert(grid.end(), {static_cast<float>(a), static_cast<float>(b)});
  const int32_t count = static_cast<int32_t>(grid.size() / 2);
  // More than one CPU tile and CUDA block, ends that are no multiple of either, both layouts; K in registers and not.
  for (const Planes& planes : {Planes{2, 2, 301, false}, Planes{1, 2, 300, true}, Planes{3, 2, 1, false}})
    for (const int32_t neighbors : {1, 5, 10, count}) {
      const auto bins = indexed_bins(grid.data(), count, neighbors);
      if (!agree<float>(planes, *bins, neighbors, 1e-6) || !agree<double>(planes, *bins, neighbors, 1e-12) ||
          !agree<Half>(planes, *bins, neighbors, 1e-6) || !agree<BFloat16>(planes, *bins, neighbors, 1e-6))
        return 1;
    }
  return 0;
}
