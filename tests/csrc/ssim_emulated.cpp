// Compare the CUDA kernels of SSIM, run by the emulator, with the CPU kernels. Exit code 1 names the first difference.
#include <cmath>
#include <cstdio>
#include <random>
#include <vector>

#include "core/ssim_kernels.h"

using namespace nirtrans::core;

namespace {

std::mt19937 generator(0);

template <typename Value>
Value stored(float value) {
  Value result;
  narrow(value, result);
  return result;
}
template <>
double stored<double>(float value) {
  return value;
}

template <typename T>
std::vector<T> noise(int64_t count) {
  std::uniform_real_distribution<float> uniform(0, 1);
  std::vector<T> values(count);
  for (T& value : values) value = stored<T>(uniform(generator));
  return values;
}

SsimSettings settings_of(int window, Padding padding) {
  SsimSettings settings{};
  settings.window = window, settings.c1 = 1e-4, settings.c2 = 9e-4, settings.padding = padding;
  settings.weight = 0.7, settings.l1_weight = 0.2;
  double sum = 0;
  for (int k = 0; k < window; ++k) sum += settings.taps[k] = std::exp(-(k - window / 2) * (k - window / 2) / 4.5);
  for (double& tap : settings.taps) tap /= sum;
  return settings;
}

template <typename T>
struct Results {
  std::vector<T> grad_x, grad_y;
  std::vector<Compute<T>> map;
  std::vector<double> values;
};

// Equal up to `tolerance` times the largest value: small windows cancel.
template <typename Values>
bool same(const char* what, const Values& cpu, const Values& cuda, double tolerance) {
  double largest = 0;
  for (const auto& value : cpu) largest = std::fmax(largest, std::abs(static_cast<double>(widen(value))));
  for (size_t i = 0; i < cpu.size(); ++i) {
    const double expected = widen(cpu[i]), got = widen(cuda[i]);
    if (!(std::abs(expected - got) <= tolerance * largest)) {
      std::printf("%s: element %zu of %zu: CPU %.9g, CUDA %.9g\n", what, i, cpu.size(), expected, got);
      return false;
    }
  }
  return true;
}

template <typename T>
bool agree(const SsimShape& shape, const SsimSettings& settings, bool masked, double tolerance) {
  const int64_t pixels = shape.planes() * shape.height * shape.width;
  const Axis down = axis_of(shape.height, settings), along = axis_of(shape.width, settings);
  const int64_t points = shape.planes() * (down.high - down.low) * (along.high - along.low);
  const std::vector<T> x = noise<T>(pixels), y = noise<T>(pixels);
  const std::vector<Compute<T>> upstream = noise<Compute<T>>(points);
  std::vector<uint8_t> mask;
  for (const float value : noise<float>(shape.images * shape.height * shape.width)) mask.push_back(value > 0.3f);
  Results<T> results[2];
  for (const bool on_cuda : {false, true}) {
    Results<T>& result = results[on_cuda];
    result.grad_x.resize(pixels), result.grad_y.resize(pixels);
    result.map.resize(points), result.values.resize(shape.planes());
    const int64_t tiles = on_cuda ? ssim_cuda_tiles<T>(shape, settings) : ssim_tiles(shape);
    std::vector<double> sums(2 * shape.planes() * tiles);
    const SsimTensors<T> tensors{x.data(),
                                 y.data(),
                                 masked ? mask.data() : nullptr,
                                 masked ? nullptr : upstream.data(),
                                 result.map.data(),
                                 result.grad_x.data(),
                                 result.grad_y.data(),
                                 sums.data()};
    if (!on_cuda) {
      ssim_cpu(tensors, shape, settings, 0, ssim_units(shape));
      ssim_add_up(sums.data(), result.values.data(), tiles, 0, shape.planes(), settings);
    } else if (ssim_cuda(tensors, shape, settings, nullptr) != 0 ||
               ssim_add_up_cuda(sums.data(), result.values.data(), shape.planes(), tiles, settings, nullptr) != 0) {
      std::printf("the launch failed\n");
      return false;
    }
  }
  return same("map", results[0].map, results[1].map, tolerance) &&
         same("values", results[0].values, results[1].values, tolerance) &&
         same("grad_x", results[0].grad_x, results[1].grad_x, 4 * tolerance) &&
         same("grad_y", results[0].grad_y, results[1].grad_y, 4 * tolerance);
}

}  // namespace

int main() {
  // Two CPU tiles would need a kilopixel of width; rows beyond one CUDA strip, several columns of blocks, and images as
  // small as the window.
  const SsimShape shapes[] = {{1, 1, 140, 77, false}, {2, 3, 13, 70, true}, {1, 2, 11, 11, false}};
  for (const SsimShape& shape : shapes)
    for (const Padding padding : {Padding::valid, Padding::reflect, Padding::zero})
      for (const bool masked : {false, true}) {
        const SsimSettings usual = settings_of(11, padding), small = settings_of(3, padding);
        if (!agree<float>(shape, usual, masked, 2e-5) || !agree<double>(shape, small, masked, 1e-12)) return 1;
        if (shape.height == 13 &&
            !(agree<Half>(shape, usual, masked, 2e-3) && agree<BFloat16>(shape, usual, masked, 1.6e-2)))
          return 1;
      }
  return 0;
}
