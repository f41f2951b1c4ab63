#include "../core/lab.h"

#include "blocks.h"
#include "clones.h"

namespace nirtrans::core {
namespace {

// The loops over one block. Rows are passed one by one so that the compiler knows that they do not overlap.

template <typename Real>
NIRTRANS_HD void convert_to_lab(const Real* __restrict__ r, const Real* __restrict__ g, const Real* __restrict__ b,
                                Real* __restrict__ l_out, Real* __restrict__ a_out, Real* __restrict__ b_out,
                                int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    const Color<Real> lab = rgb_to_lab<Real>({r[i], g[i], b[i]});
    l_out[i] = lab.c0, a_out[i] = lab.c1, b_out[i] = lab.c2;
  }
}

template <typename Real>
NIRTRANS_HD void convert_to_rgb(const Real* __restrict__ l, const Real* __restrict__ a, const Real* __restrict__ b,
                                Real* __restrict__ r_out, Real* __restrict__ g_out, Real* __restrict__ b_out,
                                Range<Real> range, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    const Color<Real> rgb = lab_to_rgb<Real>({l[i], a[i], b[i]}, range);
    r_out[i] = rgb.c0, g_out[i] = rgb.c1, b_out[i] = rgb.c2;
  }
}

template <typename Real>
NIRTRANS_HD void pull_back_to_rgb(const Real* __restrict__ g0, const Real* __restrict__ g1, const Real* __restrict__ g2,
                                  const Real* __restrict__ r, const Real* __restrict__ g, const Real* __restrict__ b,
                                  Real* __restrict__ r_out, Real* __restrict__ g_out, Real* __restrict__ b_out,
                                  int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    const Color<Real> grad = rgb_to_lab_backward<Real>({g0[i], g1[i], g2[i]}, {r[i], g[i], b[i]});
    r_out[i] = grad.c0, g_out[i] = grad.c1, b_out[i] = grad.c2;
  }
}

template <typename Real>
NIRTRANS_HD void pull_back_to_lab(const Real* __restrict__ g0, const Real* __restrict__ g1, const Real* __restrict__ g2,
                                  const Real* __restrict__ l, const Real* __restrict__ a, const Real* __restrict__ b,
                                  Real* __restrict__ l_out, Real* __restrict__ a_out, Real* __restrict__ b_out,
                                  Range<Real> range, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    const Color<Real> grad = lab_to_rgb_backward<Real>({g0[i], g1[i], g2[i]}, {l[i], a[i], b[i]}, range);
    l_out[i] = grad.c0, a_out[i] = grad.c1, b_out[i] = grad.c2;
  }
}

// float goes through one clone per instruction set; double, which spends its time in libm, just takes part.
#define NIRTRANS_BLOCK_KERNELS(Real)                                                                             \
  NIRTRANS_CLONES void rgb_to_lab_block(Rows<const Real> in, Rows<Real> out, int64_t count) {                    \
    convert_to_lab(in.c0, in.c1, in.c2, out.c0, out.c1, out.c2, count);                                          \
  }                                                                                                              \
  NIRTRANS_CLONES void lab_to_rgb_block(Rows<const Real> in, Rows<Real> out, Range<Real> range, int64_t count) { \
    convert_to_rgb(in.c0, in.c1, in.c2, out.c0, out.c1, out.c2, range, count);                                   \
  }                                                                                                              \
  NIRTRANS_CLONES void rgb_to_lab_backward_block(Rows<const Real> grad, Rows<const Real> in, Rows<Real> out,     \
                                                 int64_t count) {                                                \
    pull_back_to_rgb(grad.c0, grad.c1, grad.c2, in.c0, in.c1, in.c2, out.c0, out.c1, out.c2, count);             \
  }                                                                                                              \
  NIRTRANS_CLONES void lab_to_rgb_backward_block(Rows<const Real> grad, Rows<const Real> in, Rows<Real> out,     \
                                                 Range<Real> range, int64_t count) {                             \
    pull_back_to_lab(grad.c0, grad.c1, grad.c2, in.c0, in.c1, in.c2, out.c0, out.c1, out.c2, range, count);      \
  }

NIRTRANS_BLOCK_KERNELS(float)
NIRTRANS_BLOCK_KERNELS(double)
#undef NIRTRANS_BLOCK_KERNELS

// Call `kernel(in, out, count)` for each block.
template <typename T, typename Kernel>
void map_blocks(const T* in, T* out, const Pixels& pixels, int64_t first, int64_t last, const Kernel& kernel) {
  Block<Compute<T>> in_block, out_block;
  for (int64_t i = first; i < last; ++i) {
    const Span span = locate(pixels, i);
    const Rows<Compute<T>> result = rows_of(out, span, out_block);
    kernel(load(in, span, in_block), result, padded(span.count));
    store(result, span, out);
  }
}

// Call `kernel(grad, in, out, count)` for each block.
template <typename T, typename Kernel>
void map_blocks(const T* grad, const T* in, T* out, const Pixels& pixels, int64_t first, int64_t last,
                const Kernel& kernel) {
  Block<Compute<T>> grad_block, in_block, out_block;
  for (int64_t i = first; i < last; ++i) {
    const Span span = locate(pixels, i);
    const Rows<Compute<T>> result = rows_of(out, span, out_block);
    kernel(load(grad, span, grad_block), load(in, span, in_block), result, padded(span.count));
    store(result, span, out);
  }
}

template <typename T>
using In = Rows<const Compute<T>>;
template <typename T>
using Out = Rows<Compute<T>>;

}  // namespace

template <typename T>
void rgb_to_lab_cpu(const T* rgb, T* lab, const Pixels& pixels, int64_t first, int64_t last) {
  map_blocks(rgb, lab, pixels, first, last,
             [](In<T> in, Out<T> out, int64_t count) { rgb_to_lab_block(in, out, count); });
}

template <typename T>
void lab_to_rgb_cpu(const T* lab, T* rgb, bool clip, const Pixels& pixels, int64_t first, int64_t last) {
  const Range<Compute<T>> range = clip_range<Compute<T>>(clip);
  map_blocks(lab, rgb, pixels, first, last,
             [range](In<T> in, Out<T> out, int64_t count) { lab_to_rgb_block(in, out, range, count); });
}

template <typename T>
void rgb_to_lab_backward_cpu(const T* grad_lab, const T* rgb, T* grad_rgb, const Pixels& pixels, int64_t first,
                             int64_t last) {
  map_blocks(grad_lab, rgb, grad_rgb, pixels, first, last,
             [](In<T> grad, In<T> in, Out<T> out, int64_t count) { rgb_to_lab_backward_block(grad, in, out, count); });
}

template <typename T>
void lab_to_rgb_backward_cpu(const T* grad_rgb, const T* lab, T* grad_lab, bool clip, const Pixels& pixels,
                             int64_t first, int64_t last) {
  const Range<Compute<T>> range = clip_range<Compute<T>>(clip);
  map_blocks(grad_rgb, lab, grad_lab, pixels, first, last, [range](In<T> grad, In<T> in, Out<T> out, int64_t count) {
    lab_to_rgb_backward_block(grad, in, out, range, count);
  });
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
