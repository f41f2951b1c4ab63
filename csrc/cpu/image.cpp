#include "../core/image_kernels.h"
#include "clones.h"
#include "lab_blocks.h"

namespace nirtrans::core {
namespace {

template <typename Level, typename Real>
NIRTRANS_HD void take_apart(const Level* __restrict__ from, int64_t count, Real* __restrict__ r, Real* __restrict__ g,
                            Real* __restrict__ b) {
  const Real step = Real(1 / kTop<Level>);
  for (int64_t i = 0; i < count; ++i) {
    r[i] = static_cast<Real>(from[3 * i]) * step;
    g[i] = static_cast<Real>(from[3 * i + 1]) * step;
    b[i] = static_cast<Real>(from[3 * i + 2]) * step;
  }
}

template <typename Level, typename Real>
NIRTRANS_HD void put_together(const Real* __restrict__ r, const Real* __restrict__ g, const Real* __restrict__ b,
                              int64_t count, Level* __restrict__ to) {
  for (int64_t i = 0; i < count; ++i) {
    to[3 * i] = level_of<Level>(r[i]);
    to[3 * i + 1] = level_of<Level>(g[i]);
    to[3 * i + 2] = level_of<Level>(b[i]);
  }
}

template <typename Real>
NIRTRANS_HD void normalize(Real* __restrict__ l, Real* __restrict__ a, Real* __restrict__ b, const LabNorm& norm,
                           int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    const Color<Real> lab = normalized<Real>({l[i], a[i], b[i]}, norm);
    l[i] = lab.c0, a[i] = lab.c1, b[i] = lab.c2;
  }
}

template <typename Real>
NIRTRANS_HD void denormalize(const Real* __restrict__ l, const Real* __restrict__ a, const Real* __restrict__ b,
                             Real* __restrict__ l_out, Real* __restrict__ a_out, Real* __restrict__ b_out,
                             const LabNorm& norm, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    const Color<Real> lab = denormalized<Real>({l[i], a[i], b[i]}, norm);
    l_out[i] = lab.c0, a_out[i] = lab.c1, b_out[i] = lab.c2;
  }
}

#define NIRTRANS_LEVELS(Level, Real)                                                        \
  NIRTRANS_CLONES void put_together_block(Rows<const Real> rgb, int64_t count, Level* to) { \
    put_together(rgb.c0, rgb.c1, rgb.c2, count, to);                                        \
  }

NIRTRANS_CLONES void take_apart_block(const uint8_t* from, int64_t count, Rows<float> rgb) {
  take_apart(from, count, rgb.c0, rgb.c1, rgb.c2);
}
NIRTRANS_CLONES void take_apart_block(const uint16_t* from, int64_t count, Rows<float> rgb) {
  take_apart(from, count, rgb.c0, rgb.c1, rgb.c2);
}
NIRTRANS_LEVELS(uint8_t, float)
NIRTRANS_LEVELS(uint16_t, float)
NIRTRANS_LEVELS(uint8_t, double)
NIRTRANS_LEVELS(uint16_t, double)
#undef NIRTRANS_LEVELS

NIRTRANS_CLONES void normalize_block(Rows<float> lab, const LabNorm& norm, int64_t count) {
  normalize(lab.c0, lab.c1, lab.c2, norm, count);
}
NIRTRANS_CLONES void denormalize_block(Rows<const float> lab, Rows<float> out, const LabNorm& norm, int64_t count) {
  denormalize(lab.c0, lab.c1, lab.c2, out.c0, out.c1, out.c2, norm, count);
}
NIRTRANS_CLONES void denormalize_block(Rows<const double> lab, Rows<double> out, const LabNorm& norm, int64_t count) {
  denormalize(lab.c0, lab.c1, lab.c2, out.c0, out.c1, out.c2, norm, count);
}

template <typename Real>
Rows<Real> rows_of(Block<Real>& block) {
  return {block.rows[0], block.rows[1], block.rows[2]};
}

template <typename Real>
Rows<const Real> read_only(Rows<Real> rows) {
  return {rows.c0, rows.c1, rows.c2};
}

// The image has the pixels of a planar tensor in the same order, but interleaved.
int64_t first_level(const Pixels& pixels, int64_t block) {
  const int64_t image = block / blocks_per_image(pixels), start = block % blocks_per_image(pixels) * kBlock;
  return 3 * (image * pixels.plane + start);
}

}  // namespace

template <typename Level, typename T>
void image_to_lab_cpu(const Level* image, T* lab, const LabNorm& norm, const Pixels& pixels, int64_t first,
                      int64_t last) {
  Block<float> rgb{}, result;
  for (int64_t i = first; i < last; ++i) {
    const Span span = locate(pixels, i);
    const Rows<float> rows = rows_of(lab, span, result);
    take_apart_block(image + first_level(pixels, i), span.count, rows_of(rgb));
    rgb_to_lab_block(read_only(rows_of(rgb)), rows, padded(span.count));
    normalize_block(rows, norm, padded(span.count));
    store(rows, span, lab);
  }
}

template <typename Level, typename T>
void lab_to_image_cpu(const T* lab, Level* image, const LabNorm& norm, const Pixels& pixels, int64_t first,
                      int64_t last) {
  using Real = Compute<T>;
  Block<Real> in, plain, rgb;
  for (int64_t i = first; i < last; ++i) {
    const Span span = locate(pixels, i);
    denormalize_block(load(lab, span, in), rows_of(plain), norm, padded(span.count));
    lab_to_rgb_block(read_only(rows_of(plain)), rows_of(rgb), clip_range<Real>(true), padded(span.count));
    put_together_block(read_only(rows_of(rgb)), span.count, image + first_level(pixels, i));
  }
}

#define NIRTRANS_INSTANTIATE_TO_IMAGE(Level, T) \
  template void lab_to_image_cpu<Level, T>(const T*, Level*, const LabNorm&, const Pixels&, int64_t, int64_t);
#define NIRTRANS_INSTANTIATE(Level, T)                                                                         \
  template void image_to_lab_cpu<Level, T>(const Level*, T*, const LabNorm&, const Pixels&, int64_t, int64_t); \
  NIRTRANS_INSTANTIATE_TO_IMAGE(Level, T)

NIRTRANS_INSTANTIATE(uint8_t, Half)
NIRTRANS_INSTANTIATE(uint8_t, BFloat16)
NIRTRANS_INSTANTIATE(uint8_t, float)
NIRTRANS_INSTANTIATE_TO_IMAGE(uint8_t, double)
NIRTRANS_INSTANTIATE(uint16_t, Half)
NIRTRANS_INSTANTIATE(uint16_t, BFloat16)
NIRTRANS_INSTANTIATE(uint16_t, float)
NIRTRANS_INSTANTIATE_TO_IMAGE(uint16_t, double)
#undef NIRTRANS_INSTANTIATE
#undef NIRTRANS_INSTANTIATE_TO_IMAGE

}  // namespace nirtrans::core
