#include "../core/image_kernels.h"
#include "blocks.h"
#include "clones.h"

namespace nirtrans::core {
namespace {

template <typename Level>
NIRTRANS_HD void linearize(const Level* __restrict__ image, int64_t count, float* __restrict__ r, float* __restrict__ g,
                           float* __restrict__ b) {
  for (int64_t i = 0; i < count; ++i) {
    r[i] = linear_of(image[3 * i]);
    g[i] = linear_of(image[3 * i + 1]);
    b[i] = linear_of(image[3 * i + 2]);
  }
}

NIRTRANS_HD void convert_to_lab(const float* __restrict__ r, const float* __restrict__ g, const float* __restrict__ b,
                                float* __restrict__ l_out, float* __restrict__ a_out, float* __restrict__ b_out,
                                const LabNorm& norm, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    const Color<float> lab = linear_rgb_to_normalized_lab({r[i], g[i], b[i]}, norm);
    l_out[i] = lab.c0, a_out[i] = lab.c1, b_out[i] = lab.c2;
  }
}

template <typename Level, typename Real>
NIRTRANS_HD void convert_to_levels(const Real* __restrict__ l, const Real* __restrict__ a, const Real* __restrict__ b,
                                   Real* __restrict__ r_out, Real* __restrict__ g_out, Real* __restrict__ b_out,
                                   const LabNorm& norm, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    const Color<Real> rgb = normalized_lab_to_levels<Level, Real>({l[i], a[i], b[i]}, norm);
    r_out[i] = rgb.c0, g_out[i] = rgb.c1, b_out[i] = rgb.c2;
  }
}

template <typename Level, typename Real>
NIRTRANS_HD void interleave(const Real* __restrict__ r, const Real* __restrict__ g, const Real* __restrict__ b,
                            int64_t count, Level* __restrict__ image) {
  for (int64_t i = 0; i < count; ++i) {
    image[3 * i] = static_cast<Level>(static_cast<int32_t>(r[i]));
    image[3 * i + 1] = static_cast<Level>(static_cast<int32_t>(g[i]));
    image[3 * i + 2] = static_cast<Level>(static_cast<int32_t>(b[i]));
  }
}

NIRTRANS_CLONES void linear_block(const uint8_t* image, int64_t count, Rows<float> to) {
  linearize(image, count, to.c0, to.c1, to.c2);
}
NIRTRANS_CLONES void linear_block(const uint16_t* image, int64_t count, Rows<float> to) {
  linearize(image, count, to.c0, to.c1, to.c2);
}
NIRTRANS_CLONES void lab_block(Rows<float> lin, Rows<float> lab, const LabNorm& norm, int64_t count) {
  convert_to_lab(lin.c0, lin.c1, lin.c2, lab.c0, lab.c1, lab.c2, norm, count);
}

// Level is named by a null pointer, because the clones are plain overloads.
#define NIRTRANS_LEVEL_KERNELS(Level, Real)                                                                  \
  NIRTRANS_CLONES void levels_block(Rows<const Real> in, Rows<Real> out, const LabNorm& norm, int64_t count, \
                                    const Level*) {                                                          \
    convert_to_levels<Level>(in.c0, in.c1, in.c2, out.c0, out.c1, out.c2, norm, count);                      \
  }                                                                                                          \
  NIRTRANS_CLONES void store_levels(Rows<Real> from, int64_t count, Level* image) {                          \
    interleave(from.c0, from.c1, from.c2, count, image);                                                     \
  }

NIRTRANS_LEVEL_KERNELS(uint8_t, float)
NIRTRANS_LEVEL_KERNELS(uint16_t, float)
NIRTRANS_LEVEL_KERNELS(uint8_t, double)
NIRTRANS_LEVEL_KERNELS(uint16_t, double)
#undef NIRTRANS_LEVEL_KERNELS

// First level of a block in an interleaved image.
int64_t level_offset(const Pixels& pixels, int64_t block) {
  const int64_t image = block / blocks_per_image(pixels);
  return 3 * (image * pixels.plane + block % blocks_per_image(pixels) * kBlock);
}

}  // namespace

template <typename Level, typename T>
void image_to_lab_cpu(const Level* image, T* lab, const LabNorm& norm, const Pixels& pixels, int64_t first,
                      int64_t last) {
  Block<float> linear, converted;
  const Rows<float> rows{linear.rows[0], linear.rows[1], linear.rows[2]};
  for (int64_t i = first; i < last; ++i) {
    const Span span = locate(pixels, i);
    linear_block(image + level_offset(pixels, i), span.count, rows);
    for (auto& row : linear.rows) std::fill(row + span.count, row + padded(span.count), 0.0f);
    const Rows<float> result = rows_of(lab, span, converted);
    lab_block(rows, result, norm, padded(span.count));
    store(result, span, lab);
  }
}

template <typename Level, typename T>
void lab_to_image_cpu(const T* lab, Level* image, const LabNorm& norm, const Pixels& pixels, int64_t first,
                      int64_t last) {
  Block<Compute<T>> loaded, levels;
  const Rows<Compute<T>> rows{levels.rows[0], levels.rows[1], levels.rows[2]};
  for (int64_t i = first; i < last; ++i) {
    const Span span = locate(pixels, i);
    Level* to = image + level_offset(pixels, i);
    levels_block(load(lab, span, loaded), rows, norm, padded(span.count), to);
    store_levels(rows, span.count, to);
  }
}

#define NIRTRANS_INSTANTIATE_BACK(Level, T) \
  template void lab_to_image_cpu<Level, T>(const T*, Level*, const LabNorm&, const Pixels&, int64_t, int64_t);
#define NIRTRANS_INSTANTIATE(Level, T)                                                                         \
  template void image_to_lab_cpu<Level, T>(const Level*, T*, const LabNorm&, const Pixels&, int64_t, int64_t); \
  NIRTRANS_INSTANTIATE_BACK(Level, T)

NIRTRANS_INSTANTIATE(uint8_t, Half)
NIRTRANS_INSTANTIATE(uint8_t, BFloat16)
NIRTRANS_INSTANTIATE(uint8_t, float)
NIRTRANS_INSTANTIATE_BACK(uint8_t, double)
NIRTRANS_INSTANTIATE(uint16_t, Half)
NIRTRANS_INSTANTIATE(uint16_t, BFloat16)
NIRTRANS_INSTANTIATE(uint16_t, float)
NIRTRANS_INSTANTIATE_BACK(uint16_t, double)
#undef NIRTRANS_INSTANTIATE
#undef NIRTRANS_INSTANTIATE_BACK

}  // namespace nirtrans::core
