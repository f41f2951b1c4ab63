#include "../core/lab.h"

#include "blocks.h"
#include "clones.h"

namespace nirtrans::core {
namespace {

// The loops over one block, in place. Rows are passed one by one so that the compiler knows that they do not overlap.
template <typename Real>
NIRTRANS_HD void rgb_to_lab_rows(Real* __restrict__ c0, Real* __restrict__ c1, Real* __restrict__ c2, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    const Color<Real> lab = rgb_to_lab<Real>({c0[i], c1[i], c2[i]});
    c0[i] = lab.c0, c1[i] = lab.c1, c2[i] = lab.c2;
  }
}

template <typename Real>
NIRTRANS_HD void lab_to_rgb_rows(Real* __restrict__ c0, Real* __restrict__ c1, Real* __restrict__ c2, Range<Real> range,
                                 int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    const Color<Real> rgb = lab_to_rgb<Real>({c0[i], c1[i], c2[i]}, range);
    c0[i] = rgb.c0, c1[i] = rgb.c1, c2[i] = rgb.c2;
  }
}

template <typename Real>
NIRTRANS_HD void rgb_to_lab_backward_rows(Real* __restrict__ g0, Real* __restrict__ g1, Real* __restrict__ g2,
                                          const Real* __restrict__ c0, const Real* __restrict__ c1,
                                          const Real* __restrict__ c2, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    const Color<Real> grad = rgb_to_lab_backward<Real>({g0[i], g1[i], g2[i]}, {c0[i], c1[i], c2[i]});
    g0[i] = grad.c0, g1[i] = grad.c1, g2[i] = grad.c2;
  }
}

template <typename Real>
NIRTRANS_HD void lab_to_rgb_backward_rows(Real* __restrict__ g0, Real* __restrict__ g1, Real* __restrict__ g2,
                                          const Real* __restrict__ c0, const Real* __restrict__ c1,
                                          const Real* __restrict__ c2, Range<Real> range, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    const Color<Real> grad = lab_to_rgb_backward<Real>({g0[i], g1[i], g2[i]}, {c0[i], c1[i], c2[i]}, range);
    g0[i] = grad.c0, g1[i] = grad.c1, g2[i] = grad.c2;
  }
}

// float goes through one clone per instruction set; double is plain.
NIRTRANS_CLONES void rgb_to_lab_block(Block<float>& b, int64_t count) {
  rgb_to_lab_rows(b.rows[0], b.rows[1], b.rows[2], count);
}
NIRTRANS_CLONES void lab_to_rgb_block(Block<float>& b, Range<float> range, int64_t count) {
  lab_to_rgb_rows(b.rows[0], b.rows[1], b.rows[2], range, count);
}
NIRTRANS_CLONES void rgb_to_lab_backward_block(Block<float>& g, const Block<float>& b, int64_t count) {
  rgb_to_lab_backward_rows(g.rows[0], g.rows[1], g.rows[2], b.rows[0], b.rows[1], b.rows[2], count);
}
NIRTRANS_CLONES void lab_to_rgb_backward_block(Block<float>& g, const Block<float>& b, Range<float> range,
                                               int64_t count) {
  lab_to_rgb_backward_rows(g.rows[0], g.rows[1], g.rows[2], b.rows[0], b.rows[1], b.rows[2], range, count);
}

void rgb_to_lab_block(Block<double>& b, int64_t count) { rgb_to_lab_rows(b.rows[0], b.rows[1], b.rows[2], count); }
void lab_to_rgb_block(Block<double>& b, Range<double> range, int64_t count) {
  lab_to_rgb_rows(b.rows[0], b.rows[1], b.rows[2], range, count);
}
void rgb_to_lab_backward_block(Block<double>& g, const Block<double>& b, int64_t count) {
  rgb_to_lab_backward_rows(g.rows[0], g.rows[1], g.rows[2], b.rows[0], b.rows[1], b.rows[2], count);
}
void lab_to_rgb_backward_block(Block<double>& g, const Block<double>& b, Range<double> range, int64_t count) {
  lab_to_rgb_backward_rows(g.rows[0], g.rows[1], g.rows[2], b.rows[0], b.rows[1], b.rows[2], range, count);
}

}  // namespace

template <typename T>
void rgb_to_lab_cpu(const T* rgb, T* lab, const Pixels& pixels, int64_t first, int64_t last) {
  Block<Compute<T>> block;
  for (int64_t i = first; i < last; ++i) {
    const Span span = locate(pixels, i);
    load(rgb, span, block);
    rgb_to_lab_block(block, padded(span.count));
    store(block, span, lab);
  }
}

template <typename T>
void lab_to_rgb_cpu(const T* lab, T* rgb, bool clip, const Pixels& pixels, int64_t first, int64_t last) {
  Block<Compute<T>> block;
  for (int64_t i = first; i < last; ++i) {
    const Span span = locate(pixels, i);
    load(lab, span, block);
    lab_to_rgb_block(block, clip_range<Compute<T>>(clip), padded(span.count));
    store(block, span, rgb);
  }
}

template <typename T>
void rgb_to_lab_backward_cpu(const T* grad_lab, const T* rgb, T* grad_rgb, const Pixels& pixels, int64_t first,
                             int64_t last) {
  Block<Compute<T>> grad, block;
  for (int64_t i = first; i < last; ++i) {
    const Span span = locate(pixels, i);
    load(grad_lab, span, grad);
    load(rgb, span, block);
    rgb_to_lab_backward_block(grad, block, padded(span.count));
    store(grad, span, grad_rgb);
  }
}

template <typename T>
void lab_to_rgb_backward_cpu(const T* grad_rgb, const T* lab, T* grad_lab, bool clip, const Pixels& pixels,
                             int64_t first, int64_t last) {
  Block<Compute<T>> grad, block;
  for (int64_t i = first; i < last; ++i) {
    const Span span = locate(pixels, i);
    load(grad_rgb, span, grad);
    load(lab, span, block);
    lab_to_rgb_backward_block(grad, block, clip_range<Compute<T>>(clip), padded(span.count));
    store(grad, span, grad_lab);
  }
}

#define NIRTRANS_INSTANTIATE(T)                                                                      \
  template void rgb_to_lab_cpu<T>(const T*, T*, const Pixels&, int64_t, int64_t);                    \
  template void lab_to_rgb_cpu<T>(const T*, T*, bool, const Pixels&, int64_t, int64_t);              \
  template void rgb_to_lab_backward_cpu<T>(const T*, const T*, T*, const Pixels&, int64_t, int64_t); \
  template void lab_to_rgb_backward_cpu<T>(const T*, const T*, T*, bool, const Pixels&, int64_t, int64_t);

NIRTRANS_INSTANTIATE(Half)
NIRTRANS_INSTANTIATE(BFloat16)
NIRTRANS_INSTANTIATE(float)
NIRTRANS_INSTANTIATE(double)
#undef NIRTRANS_INSTANTIATE

}  // namespace nirtrans::core
