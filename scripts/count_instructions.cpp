// Run one CPU kernel on one thread: count_instructions KERNEL TIMES prints the number of pixels of one run.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "core/annealed_kernels.h"
#include "core/candidates.h"
#include "core/cross_entropy_kernels.h"
#include "core/image_kernels.h"
#include "core/kernels.h"
#include "core/ssim_kernels.h"

using namespace nirtrans::core;

namespace {

constexpr int64_t kSide = 64, kImages = 2, kPlane = kSide * kSide, kClasses = 313;

std::vector<float> noise(int64_t count, float low, float high) {
  static std::mt19937 generator(0);
  std::uniform_real_distribution<float> uniform(low, high);
  std::vector<float> values(count);
  for (float& value : values) value = uniform(generator);
  return values;
}

SsimSettings usual_window() {
  SsimSettings settings{};
  settings.window = 11, settings.c1 = 1e-4, settings.c2 = 9e-4, settings.weight = 1;
  double sum = 0;
  for (int k = 0; k < 11; ++k) sum += settings.taps[k] = std::exp(-(k - 5) * (k - 5) / 4.5);
  for (double& tap : settings.taps) tap /= sum;
  return settings;
}

}  // namespace

int main(int, char** arguments) {
  const Pixels pixels{kImages, kPlane, false};
  const Planes classes{kImages, kClasses, kPlane, false}, plane_ab{kImages, 2, kPlane, false};
  const SsimShape shape{kImages, 3, kSide, kSide, false};
  const SsimSettings window = usual_window();
  const std::vector<float> rgb = noise(3 * kImages * kPlane, 0, 1), other = noise(3 * kImages * kPlane, 0, 1);
  const std::vector<float> ab = noise(2 * kImages * kPlane, -80, 80),
                           logits = noise(kImages * kClasses * kPlane, -3, 3);
  const std::vector<uint8_t> image(3 * kImages * kPlane, 100);
  std::vector<float> out(3 * kImages * kPlane), grad(kImages * kClasses * kPlane), weight(5 * kImages * kPlane);
  std::vector<int64_t> index(5 * kImages * kPlane);
  std::vector<double> sums(2 * ssim_units(shape)), partial(tile_count(classes));
  std::vector<float> bins;  // as many as usual
  for (int i = 0; i < kClasses; ++i) bins.push_back(-90 + i / 18 * 10), bins.push_back(-90 + i % 18 * 10);
  const auto indexed = indexed_bins(bins.data(), kClasses, 5);
  const Encoding encoding{5, 0.02};
  const CrossEntropyInput<float> targets{logits.data(), classes, ab.data(), indexed->table(),
                                         encoding,      nullptr, nullptr};
  const CrossEntropyOutput<float> loss{nullptr, partial.data(), grad.data(), nullptr, false, nullptr};

  const std::map<std::string, std::function<void()>> kernels = {
      {"rgb_to_lab", [&] { rgb_to_lab_cpu(rgb.data(), out.data(), pixels, 0, block_count(pixels)); }},
      {"image_to_lab",
       [&] { image_to_lab_cpu(image.data(), out.data(), {50, 50, 110}, pixels, 0, block_count(pixels)); }},
      {"encode_ab",
       [&] {
         encode_ab_cpu(ab.data(), plane_ab, indexed->table(), encoding, index.data(), weight.data(), 0,
                       tile_count(plane_ab));
       }},
      {"soft_cross_entropy f+b", [&] { cross_entropy_cpu(targets, loss, 0, tile_count(classes)); }},
      {"annealed_mean",
       [&] { annealed_mean_cpu(logits.data(), classes, bins.data(), 0.38, out.data(), 0, tile_count(classes)); }},
      {"ssim",
       [&] {
         ssim_cpu<float>({rgb.data(), other.data(), nullptr, nullptr, nullptr, nullptr, nullptr, sums.data()}, shape,
                         window, 0, ssim_units(shape));
       }},
      {"ssim f+b",
       [&] {
         ssim_cpu<float>({rgb.data(), other.data(), nullptr, nullptr, nullptr, out.data(), nullptr, sums.data()}, shape,
                         window, 0, ssim_units(shape));
       }},
  };
  const auto kernel = kernels.find(arguments[1]);
  if (kernel == kernels.end()) return 2;
  for (int i = 0; i < std::atoi(arguments[2]); ++i) kernel->second();
  std::printf("%lld\n", static_cast<long long>(kImages * kPlane));
  return 0;
}
