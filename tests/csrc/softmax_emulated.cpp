// Compare the CUDA kernels over the classes of a pixel, run by the emulator, with the CPU kernels. Exit code 1 names
// the first difference.
#include <cmath>
#include <cstdio>
#include <memory>
#include <random>
#include <vector>

#include "core/annealed_kernels.h"
#include "core/candidates.h"
#include "core/cross_entropy_kernels.h"

using namespace nirtrans::core;

namespace {

std::mt19937 generator(0);

template <typename T>
std::vector<T> random_values(int64_t count, float low, float high) {
  std::uniform_real_distribution<float> uniform(low, high);
  std::vector<T> values(count);
  for (T& value : values) {
    const float number = uniform(generator);
    if constexpr (std::is_same_v<T, double>) {
      value = number;
    } else {
      narrow(number, value);
    }
  }
  return values;
}

// Equal up to `tolerance` relative to the larger of `unit` and the value: sums run in another order.
template <typename T>
bool same(const char* what, const std::vector<T>& cpu, const std::vector<T>& cuda, double tolerance, double unit) {
  for (size_t i = 0; i < cpu.size(); ++i) {
    const double expected = widen(cpu[i]), got = widen(cuda[i]);
    if (!(std::abs(expected - got) <= tolerance * std::fmax(unit, std::abs(expected)))) {
      std::printf("%s: element %zu: CPU %.9g, CUDA %.9g\n", what, i, expected, got);
      return false;
    }
  }
  return true;
}

template <typename T>
bool annealed_agrees(const Planes& layout, const std::vector<float>& bins, double tolerance) {
  using Real = Compute<T>;
  const int64_t pixels = layout.images * layout.plane, tiles = tile_count(layout);
  const auto logits = random_values<T>(pixels * layout.channels, -8, 8);
  const auto grad = random_values<Real>(2 * pixels, -1, 1);
  std::vector<Real> ab(2 * pixels), ab_cuda(2 * pixels);
  std::vector<T> back(logits.size()), back_cuda(logits.size());
  annealed_mean_cpu(logits.data(), layout, bins.data(), 0.38, ab.data(), 0, tiles);
  annealed_mean_backward_cpu(grad.data(), logits.data(), layout, bins.data(), 0.38, back.data(), 0, tiles);
  bool good = annealed_mean_cuda(logits.data(), layout, bins.data(), 0.38, ab_cuda.data(), nullptr) == 0;
  good = good && annealed_mean_backward_cuda(grad.data(), logits.data(), layout, bins.data(), 0.38, back_cuda.data(),
                                             nullptr) == 0;
  return good && same("annealed_mean", ab, ab_cuda, tolerance, 100) &&
         same("annealed_mean_backward", back, back_cuda, tolerance, 100);
}

template <typename T>
bool cross_entropy_agrees(const Planes& layout, const std::vector<float>& bins, int32_t neighbors, double tolerance) {
  using Real = Compute<T>;
  const int64_t pixels = layout.images * layout.plane, tiles = tile_count(layout);
  const auto logits = random_values<T>(pixels * layout.channels, -8, 8);
  const auto ab = random_values<Real>(2 * pixels, -150, 150), upstream = random_values<Real>(pixels, 0, 1),
             weight = random_values<Real>(layout.channels, 0.5f, 2);
  const auto index = indexed_bins(bins.data(), static_cast<int32_t>(layout.channels), neighbors);
  const std::unique_ptr<bool[]> skipped(new bool[layout.images]());
  skipped[layout.images - 1] = layout.images > 1;
  const Real scale = Real(0.25);
  const CrossEntropyInput<T> in{logits.data(),     layout,        ab.data(),    index->table(),
                                {neighbors, 0.02}, weight.data(), skipped.get()};
  std::vector<Real> loss(pixels), loss_cuda(pixels), total_cuda(1);
  std::vector<T> grad(logits.size()), grad_cuda(logits.size());
  std::vector<double> partial(tiles), partial_cuda(cross_entropy_cuda_blocks<T>(layout));
  cross_entropy_cpu(in, {loss.data(), partial.data(), grad.data(), upstream.data(), true, &scale}, 0, tiles);
  const CrossEntropyOutput<T> out{
      loss_cuda.data(), partial_cuda.data(), grad_cuda.data(), upstream.data(), true, &scale};
  bool good = cross_entropy_cuda(in, out, nullptr) == 0;
  good = good && same("loss", loss, loss_cuda, tolerance, 1) && same("gradient", grad, grad_cuda, tolerance, 0.25);
  const int64_t blocks = static_cast<int64_t>(partial_cuda.size());
  good = good && finish_loss_cuda(partial_cuda.data(), blocks, &scale, total_cuda.data(), nullptr) == 0;
  double total = 0;
  for (const double sum : partial) total += sum;
  good = good && same<Real>("sum", {static_cast<Real>(total * scale)}, total_cuda, tolerance, 1);
  const Real factor = Real(0.3);
  scale_gradient_cpu(grad.data(), factor, 0, static_cast<int64_t>(grad.size()));
  good = good && scale_gradient_cuda(grad_cuda.data(), &factor, static_cast<int64_t>(grad.size()), nullptr) == 0;
  return good && same("scaled gradient", grad, grad_cuda, tolerance, 0.25);
}

template <typename T>
bool agree(const Planes& layout, int32_t neighbors, double tolerance) {
  const auto bins = random_values<float>(2 * layout.channels, -110, 110);
  return annealed_agrees<T>(layout, bins, tolerance) && cross_entropy_agrees<T>(layout, bins, neighbors, tolerance);
}

}  // namespace

int main() {
  // Several tiles with a rest, both layouts, one class, more classes than the widest tile holds, 5, 10 and other K.
  if (!agree<float>({2, 313, 45, false}, 5, 1e-5) || !agree<float>({2, 40, 45, true}, 10, 1e-5)) return 1;
  if (!agree<float>({1, 4096, 3, false}, 3, 1e-5) || !agree<double>({1, 4096, 2, true}, 7, 1e-12)) return 1;
  if (!agree<double>({2, 313, 35, false}, 5, 1e-12) || !agree<float>({3, 1, 1, false}, 1, 1e-5)) return 1;
  if (!agree<Half>({2, 77, 33, true}, 5, 2e-3) || !agree<BFloat16>({2, 77, 33, false}, 10, 1.6e-2)) return 1;
  return 0;
}
