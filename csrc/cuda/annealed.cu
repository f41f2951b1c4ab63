#include "../core/annealed_kernels.h"
#include "softmax_tile.h"

// One tile per block and step: logits are read once and the gradient is written once.
namespace nirtrans::core {
namespace {

template <typename Real>
struct ClassSums {
  Real largest;
  Real weight, a, b;  // sums of e^((z - largest) / T), and of the same times a and b of the class
};

template <typename Real>
NIRTRANS_DEVICE ClassSums<Real> sum_classes(const Real* cells, const TileView& view, const float* bins, Real sharpness,
                                            Real* scratch) {
  ClassSums<Real> sums = {largest_logit(cells, view, scratch), 0, 0, 0};
  if (view.active())
    for (int q = view.group; q < view.classes; q += view.groups) {
      const Real e = exp_of_negative((cells[q * view.pitch + view.pixel] - sums.largest) * sharpness);
      sums.weight += e;
      sums.a += e * Real(bins[2 * q]);
      sums.b += e * Real(bins[2 * q + 1]);
    }
  return {sums.largest, sum_over_groups(sums.weight, view, scratch), sum_over_groups(sums.a, view, scratch),
          sum_over_groups(sums.b, view, scratch)};
}

template <typename T>
__global__ void __launch_bounds__(kTileThreads, kTileResident<Compute<T>>)
    mean(const T* __restrict__ logits, Planes layout, TileShape shape, const float* __restrict__ bins,
         Compute<T> sharpness, Compute<T>* __restrict__ ab) {
  using Real = Compute<T>;
  __shared__ Real cells[kTileCells<Real>];
  __shared__ Real scratch[kTileThreads];
  for (int64_t tile = blockIdx.x; tile < tiles_of(layout, shape); tile += gridDim.x) {
    const TileView view(layout, shape, tile);
    for_elements(logits, layout, view, LoadCell<Real>{cells});
    __syncthreads();
    const ClassSums<Real> sums = sum_classes(cells, view, bins, sharpness, scratch);
    if (view.leads()) {
      Real* pixel = ab + 2 * view.image * layout.plane + view.start + view.pixel;
      pixel[0] = sums.a / sums.weight;
      pixel[layout.plane] = sums.b / sums.weight;
    }
  }
}

// dz_q = p_q (<g, c_q> - <g, ab>) / T
template <typename T>
__global__ void __launch_bounds__(kTileThreads, kTileResident<Compute<T>>)
    pull_back(const Compute<T>* __restrict__ grad_ab, const T* __restrict__ logits, Planes layout, TileShape shape,
              const float* __restrict__ bins, Compute<T> sharpness, T* __restrict__ grad_logits) {
  using Real = Compute<T>;
  __shared__ Real cells[kTileCells<Real>];
  __shared__ Real scratch[kTileThreads];
  for (int64_t tile = blockIdx.x; tile < tiles_of(layout, shape); tile += gridDim.x) {
    const TileView view(layout, shape, tile);
    for_elements(logits, layout, view, LoadCell<Real>{cells});
    __syncthreads();
    const ClassSums<Real> sums = sum_classes(cells, view, bins, sharpness, scratch);
    if (view.active()) {
      const Real* pixel = grad_ab + 2 * view.image * layout.plane + view.start + view.pixel;
      const Real scale = sharpness / sums.weight;
      const Real grad_a = pixel[0] * scale, grad_b = pixel[layout.plane] * scale;
      const Real mean = grad_a * (sums.a / sums.weight) + grad_b * (sums.b / sums.weight);
      for (int q = view.group; q < view.classes; q += view.groups) {
        Real& cell = cells[q * view.pitch + view.pixel];
        const Real e = exp_of_negative((cell - sums.largest) * sharpness);
        cell = e * (grad_a * Real(bins[2 * q]) + grad_b * Real(bins[2 * q + 1]) - mean);
      }
    }
    __syncthreads();
    for_elements(grad_logits, layout, view, StoreCell<Real>{cells});
    __syncthreads();
  }
}

}  // namespace

template <typename T>
int annealed_mean_cuda(const T* logits, const Planes& layout, const float* bins, double temperature, Compute<T>* ab,
                       void* stream) {
  const TileShape shape = shape_of<Compute<T>>(layout);
  return LAUNCH((mean<T>), tile_blocks(layout, shape), kTileThreads, 0, stream, logits, layout, shape, bins,
                static_cast<Compute<T>>(1 / temperature), ab);
}

template <typename T>
int annealed_mean_backward_cuda(const Compute<T>* grad_ab, const T* logits, const Planes& layout, const float* bins,
                                double temperature, T* grad_logits, void* stream) {
  const TileShape shape = shape_of<Compute<T>>(layout);
  return LAUNCH((pull_back<T>), tile_blocks(layout, shape), kTileThreads, 0, stream, grad_ab, logits, layout, shape,
                bins, static_cast<Compute<T>>(1 / temperature), grad_logits);
}

#define NIRTRANS_INSTANTIATE(T)                                                                                     \
  template int annealed_mean_cuda<T>(const T*, const Planes&, const float*, double, Compute<T>*, void*);            \
  template int annealed_mean_backward_cuda<T>(const Compute<T>*, const T*, const Planes&, const float*, double, T*, \
                                              void*);

NIRTRANS_INSTANTIATE(Half)
NIRTRANS_INSTANTIATE(BFloat16)
NIRTRANS_INSTANTIATE(float)
NIRTRANS_INSTANTIATE(double)
#undef NIRTRANS_INSTANTIATE

}  // namespace nirtrans::core
