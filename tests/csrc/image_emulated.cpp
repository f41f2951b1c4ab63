// Compare the CUDA kernels of images, run by the emulator, with the CPU kernels. Exit code 1 names the first
// difference.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "core/image_kernels.h"

using namespace nirtrans::core;

namespace {

constexpr LabNorm kNorm{50, 50, 110};

// Equal up to `tolerance`: compilers contract products and sums differently.
template <typename T>
bool same(const char* what, const std::vector<T>& cpu, const std::vector<T>& cuda, double tolerance) {
  for (size_t i = 0; i < cpu.size(); ++i) {
    const double expected = widen(cpu[i]), got = widen(cuda[i]);
    if (!(std::abs(expected - got) <= tolerance)) {
      std::printf("%s: element %zu: CPU %.9g, CUDA %.9g\n", what, i, expected, got);
      return false;
    }
  }
  return true;
}

template <typename Level, typename T>
bool back_agrees(const std::vector<T>& lab, const Pixels& pixels) {
  std::vector<Level> image(lab.size()), image_cuda(lab.size());
  lab_to_image_cpu(lab.data(), image.data(), kNorm, pixels, 0, block_count(pixels));
  if (lab_to_image_cuda(lab.data(), image_cuda.data(), kNorm, pixels, nullptr) != 0) return false;
  for (size_t i = 0; i < image.size(); ++i)
    if (std::abs(int{image[i]} - int{image_cuda[i]}) > 1) {
      std::printf("lab_to_image: element %zu: CPU %d, CUDA %d\n", i, int{image[i]}, int{image_cuda[i]});
      return false;
    }
  return true;
}

// `shift`: elements by which the image misses its alignment.
template <typename Level, typename T>
bool agree(const Pixels& pixels, size_t shift, double tolerance) {
  const size_t size = 3 * pixels.images * pixels.plane;
  std::vector<Level> image(size + shift);
  uint32_t random = 1;
  for (Level& level : image) level = static_cast<Level>((random = random * 1664525u + 1013904223u) >> 16);
  std::vector<T> lab(size), lab_cuda(size);
  image_to_lab_cpu(image.data() + shift, lab.data(), kNorm, pixels, 0, block_count(pixels));
  if (image_to_lab_cuda(image.data() + shift, lab_cuda.data(), kNorm, pixels, nullptr) != 0) return false;
  if (!same("image_to_lab", lab, lab_cuda, tolerance)) return false;
  const Pixels interleaved{1, pixels.images * pixels.plane, true};
  return back_agrees<Level>(lab, pixels) && back_agrees<Level>(lab, interleaved);
}

template <typename Level>
bool all_agree(const Pixels& pixels, size_t shift) {
  return agree<Level, float>(pixels, shift, 4e-6) && agree<Level, Half>(pixels, shift, 2e-3) &&
         agree<Level, BFloat16>(pixels, shift, 1.6e-2);
}

}  // namespace

int main() {
  // Sizes for vectors and not, more than one CPU block and CUDA block, single pixels, a misaligned image.
  for (const Pixels& pixels : {Pixels{2, 1284, false}, Pixels{2, 777, false}, Pixels{5, 1, false}})
    for (const size_t shift : {0, 1})
      if (!all_agree<uint8_t>(pixels, shift) || !all_agree<uint16_t>(pixels, shift)) return 1;
  return 0;
}
