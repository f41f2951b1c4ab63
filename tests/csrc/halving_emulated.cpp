// Compare the CUDA kernels that halve images, run by the emulator, with the CPU kernels. Exit code 1 names the first
// difference.
#include <cmath>
#include <cstdio>
#include <random>
#include <vector>

#include "core/halving.h"

using namespace nirtrans::core;

namespace {

std::mt19937 generator(0);

template <typename T>
std::vector<T> noise(int64_t count) {
  std::uniform_real_distribution<float> uniform(0, 1);
  std::vector<T> values(count);
  for (T& value : values) {
    Compute<T> wide = uniform(generator);
    narrow(wide, value);
  }
  return values;
}

template <typename T>
bool same(const char* what, const std::vector<T>& cpu, const std::vector<T>& cuda, double tolerance) {
  for (size_t i = 0; i < cpu.size(); ++i) {
    const double expected = widen(cpu[i]), got = widen(cuda[i]);
    if (std::abs(expected - got) <= tolerance) continue;
    std::printf("%s: element %zu of %zu: CPU %.9g, CUDA %.9g\n", what, i, cpu.size(), expected, got);
    return false;
  }
  return true;
}

template <typename T>
bool agree(const SsimShape& shape, double step) {
  using Real = Compute<T>;
  const int64_t coarse_count = coarse_rows(shape) * halved_length(shape.width);
  const std::vector<T> fine = noise<T>(shape.planes() * shape.height * shape.width);
  const std::vector<Real> factors = noise<Real>(shape.planes()), upstream = noise<Real>(coarse_count);
  std::vector<Real> coarse(coarse_count), coarse_cuda(coarse_count);
  std::vector<T> gradient = fine, gradient_cuda = fine;
  halve_cpu(fine.data(), coarse.data(), shape, 0, coarse_rows(shape));
  add_halved_gradient_cpu(gradient.data(), factors.data(), upstream.data(), shape, 0, coarse_rows(shape));
  if (halve_cuda(fine.data(), coarse_cuda.data(), shape, nullptr) != 0 ||
      add_halved_gradient_cuda(gradient_cuda.data(), factors.data(), upstream.data(), shape, nullptr) != 0) {
    std::printf("the launch failed\n");
    return false;
  }
  return same("coarse", coarse, coarse_cuda, 1e-6) && same("gradient", gradient, gradient_cuda, step);
}

}  // namespace

int main() {
  const SsimShape shapes[] = {{1, 1, 1, 1, false}, {2, 3, 34, 71, true}, {1, 2, 35, 70, false}, {2, 1, 6, 8, false}};
  for (const SsimShape& shape : shapes)
    if (!agree<float>(shape, 1e-6) || !agree<double>(shape, 1e-12) || !agree<Half>(shape, 1e-3) ||
        !agree<BFloat16>(shape, 8e-3))
      return 1;
  return 0;
}
