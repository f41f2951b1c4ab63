// Compare the CUDA kernels of Lab, run by the emulator, with the CPU kernels. Exit code 1 names the first difference.
#include <cmath>
#include <cstdio>
#include <random>
#include <vector>

#include "core/kernels.h"

using namespace nirtrans::core;

namespace {

std::mt19937 generator(0);

template <typename T>
std::vector<T> random_image(const Pixels& pixels, float low, float high) {
  std::uniform_real_distribution<float> uniform(low, high);
  std::vector<T> image(3 * pixels.images * pixels.plane);
  for (T& value : image) narrow(uniform(generator), value);
  return image;
}
template <>
std::vector<double> random_image<double>(const Pixels& pixels, float low, float high) {
  const std::vector<float> image = random_image<float>(pixels, low, high);
  return {image.begin(), image.end()};
}

// Equal up to `tolerance` relative to the larger of 1 and the value: compilers contract products and sums differently.
template <typename T>
bool same(const char* what, const std::vector<T>& cpu, const std::vector<T>& cuda, double tolerance) {
  for (size_t i = 0; i < cpu.size(); ++i) {
    const double expected = widen(cpu[i]), got = widen(cuda[i]);
    if (!(std::abs(expected - got) <= tolerance * std::fmax(1, std::abs(expected)))) {
      std::printf("%s: element %zu: CPU %.9g, CUDA %.9g\n", what, i, expected, got);
      return false;
    }
  }
  return true;
}

template <typename T>
bool agree(const Pixels& pixels, double tolerance) {
  const std::vector<T> rgb = random_image<T>(pixels, -0.1f, 1.1f), grad = random_image<T>(pixels, -1, 1);
  const int64_t blocks = block_count(pixels);
  std::vector<T> lab(rgb.size()), lab_cuda(rgb.size()), back(rgb.size()), back_cuda(rgb.size());
  rgb_to_lab_cpu(rgb.data(), lab.data(), pixels, 0, blocks);
  bool good = rgb_to_lab_cuda(rgb.data(), lab_cuda.data(), pixels, nullptr) == 0;
  good = good && same("rgb_to_lab", lab, lab_cuda, tolerance);
  rgb_to_lab_backward_cpu(grad.data(), rgb.data(), back.data(), pixels, 0, blocks);
  good = good && rgb_to_lab_backward_cuda(grad.data(), rgb.data(), back_cuda.data(), pixels, nullptr) == 0;
  good = good && same("rgb_to_lab_backward", back, back_cuda, 8 * tolerance);
  for (const bool clip : {true, false}) {
    lab_to_rgb_cpu(lab.data(), back.data(), clip, pixels, 0, blocks);
    good = good && lab_to_rgb_cuda(lab.data(), back_cuda.data(), clip, pixels, nullptr) == 0;
    good = good && same("lab_to_rgb", back, back_cuda, tolerance);
  }
  // Without clipping: at a clip bound the two may fall on different sides.
  lab_to_rgb_backward_cpu(grad.data(), lab.data(), back.data(), false, pixels, 0, blocks);
  good = good && lab_to_rgb_backward_cuda(grad.data(), lab.data(), back_cuda.data(), false, pixels, nullptr) == 0;
  return good && same("lab_to_rgb_backward", back, back_cuda, 8 * tolerance);
}

}  // namespace

int main() {
  // More than one CPU block and CUDA block, ends that are no multiple of either, several images, single pixels.
  for (const Pixels& pixels : {Pixels{2, 777, false}, Pixels{1, 1031, true}, Pixels{5, 1, false}})
    if (!agree<float>(pixels, 1e-5) || !agree<double>(pixels, 1e-12) || !agree<Half>(pixels, 2e-3) ||
        !agree<BFloat16>(pixels, 1.6e-2))
      return 1;
  return 0;
}
