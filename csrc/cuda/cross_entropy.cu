#include "../core/cross_entropy_kernels.h"
#include "softmax_tile.h"

// One tile per block and step: logits are read once, the gradient is written once, and targets are encoded in place.
namespace nirtrans::core {
namespace {

constexpr int kFinishThreads = 256;
constexpr int kScaleThreads = 256;
constexpr int64_t kMaxBlocks = 65535;  // of a loop over elements

// What for_nearest finds, weighed against the logits of one pixel. A class of no weight counts for nothing.
template <typename Real>
struct Gather {
  const BinTable& table;
  const Real* logits;  // of the pixel, one pitch apart
  int pitch;
  Real largest;
  Weighing<Real> weighing;
  Real weight, target;

  NIRTRANS_HD void operator()(int32_t k, const Neighbor<Real>& neighbor) {
    if (k == 0) weighing.nearest = neighbor.bin;
    const Real relative = weighing(table, neighbor.bin);
    weight += relative;
    target += relative == Real(0) ? Real(0) : relative * (logits[neighbor.bin * pitch] - largest);
  }
};

template <typename Real>
struct Subtract {
  const BinTable& table;
  Real* gradient;
  int pitch;
  Weighing<Real> weighing;
  Real factor;

  NIRTRANS_HD void operator()(int32_t, const Neighbor<Real>& neighbor) {
    gradient[neighbor.bin * pitch] -= factor * weighing(table, neighbor.bin);
  }
};

template <typename Real>
NIRTRANS_DEVICE Real sum_of_exponentials(const Real* cells, const TileView& view, Real largest) {
  Real sum = 0;
  if (view.active())
    for (int q = view.group; q < view.classes; q += view.groups)
      sum += exp_of_negative(cells[q * view.pitch + view.pixel] - largest);
  return sum;
}

template <typename T>
struct ZeroElement {
  NIRTRANS_DEVICE void operator()(int, T& element) const { narrow(Compute<T>(0), element); }
};

template <typename T>
NIRTRANS_DEVICE void skip_tile(const CrossEntropyInput<T>& in, const CrossEntropyOutput<T>& out, const TileView& view) {
  if (view.leads() && out.loss != nullptr) out.loss[view.image * in.layout.plane + view.start + view.pixel] = 0;
  if (out.gradient != nullptr) for_elements(out.gradient, in.layout, view, ZeroElement<T>{});
}

// loss = v (log sum e^z - sum w z), d loss / dz = v (softmax - w)
template <typename T>
NIRTRANS_DEVICE double run_tile(const CrossEntropyInput<T>& in, const CrossEntropyOutput<T>& out, const TileView& view,
                                Compute<T>* cells, Compute<T>* scratch) {
  using Real = Compute<T>;
  for_elements(in.logits, in.layout, view, LoadCell<Real>{cells});
  __syncthreads();
  const Real largest = largest_logit(cells, view, scratch);
  const int64_t pixel = view.image * in.layout.plane + view.start + view.pixel;
  Gather<Real> gather = {
      in.table, cells + view.pixel, view.pitch, largest, {0, 0, static_cast<Real>(in.encoding.falloff), 0}, 0, 0};
  if (view.leads()) {
    const Real* color = in.ab + 2 * view.image * in.layout.plane + view.start + view.pixel;
    gather.weighing.a = color[0], gather.weighing.b = color[in.layout.plane];
    for_nearest(in.table, in.encoding.neighbors, gather.weighing.a, gather.weighing.b, gather);
  }
  const Real sum = sum_over_groups(sum_of_exponentials(cells, view, largest), view, scratch);
  Real loss = 0, scale = 0;
  if (view.leads()) {
    const Real v = in.class_weight == nullptr ? Real(1) : in.class_weight[gather.weighing.nearest];
    loss = v * (log(sum) - gather.target / gather.weight);
    if (out.loss != nullptr) out.loss[pixel] = loss;
    scale = v * (out.upstream == nullptr ? Real(1) : out.upstream[out.per_pixel ? pixel : 0]);
    scale *= out.scale == nullptr ? Real(1) : *out.scale;
  }
  if (out.gradient == nullptr) return loss;
  // Only the leader of a pixel has a scale; the sum hands it to the other groups.
  const Real factor = sum_over_groups(scale, view, scratch) / sum;
  if (view.active())
    for (int q = view.group; q < view.classes; q += view.groups) {
      Real& cell = cells[q * view.pitch + view.pixel];
      cell = factor * exp_of_negative(cell - largest);
    }
  __syncthreads();
  if (view.leads()) {
    const Weighing<Real> weighing = gather.weighing;
    Subtract<Real> subtract = {in.table, cells + view.pixel, view.pitch, weighing, scale / gather.weight};
    for_nearest(in.table, in.encoding.neighbors, weighing.a, weighing.b, subtract);
  }
  __syncthreads();
  for_elements(out.gradient, in.layout, view, StoreCell<Real>{cells});
  return loss;
}

template <typename T>
__global__ void __launch_bounds__(kTileThreads, kTileResident<Compute<T>>)
    cross_entropy(CrossEntropyInput<T> in, CrossEntropyOutput<T> out, TileShape shape) {
  using Real = Compute<T>;
  __shared__ Real cells[kTileCells<Real>];
  __shared__ Real scratch[kTileThreads];
  __shared__ double totals[kTileThreads];
  double total = 0;
  for (int64_t tile = blockIdx.x; tile < tiles_of(in.layout, shape); tile += gridDim.x) {
    const TileView view(in.layout, shape, tile);
    if (in.skipped != nullptr && in.skipped[view.image]) {
      skip_tile(in, out, view);
    } else {
      total += run_tile(in, out, view, cells, scratch);
    }
    __syncthreads();
  }
  if (out.partial == nullptr) return;
  totals[threadIdx.x] = total;
  __syncthreads();
  if (threadIdx.x != 0) return;
  total = 0;
  for (int thread = 0; thread < shape.pixels; ++thread) total += totals[thread];
  out.partial[blockIdx.x] = total;
}

template <typename Real>
__global__ void __launch_bounds__(kFinishThreads) finish_loss(const double* __restrict__ partial, int64_t count,
                                                              const Real* __restrict__ scale, Real* __restrict__ loss) {
  __shared__ double totals[kFinishThreads];
  double total = 0;
  for (int64_t i = threadIdx.x; i < count; i += kFinishThreads) total += partial[i];
  totals[threadIdx.x] = total;
  __syncthreads();
  if (threadIdx.x != 0) return;
  total = 0;
  for (int thread = 0; thread < kFinishThreads; ++thread) total += totals[thread];
  *loss = static_cast<Real>(total * *scale);
}

template <typename T>
__global__ void __launch_bounds__(kScaleThreads)
    scale_gradient(T* __restrict__ gradient, const Compute<T>* __restrict__ factor, int64_t count) {
  const Compute<T> number = *factor;
  if (number == Compute<T>(1)) return;
  const int64_t step = int64_t{gridDim.x} * kScaleThreads;
  for (int64_t i = int64_t{blockIdx.x} * kScaleThreads + threadIdx.x; i < count; i += step)
    narrow(widen(gradient[i]) * number, gradient[i]);
}

}  // namespace

template <typename T>
int cross_entropy_cuda(const CrossEntropyInput<T>& in, const CrossEntropyOutput<T>& out, void* stream) {
  const TileShape shape = shape_of<Compute<T>>(in.layout);
  return LAUNCH((cross_entropy<T>), tile_blocks(in.layout, shape), kTileThreads, 0, stream, in, out, shape);
}

template <typename T>
int64_t cross_entropy_cuda_blocks(const Planes& layout) {
  return tile_blocks(layout, shape_of<Compute<T>>(layout));
}

template <typename Real>
int finish_loss_cuda(const double* partial, int64_t count, const Real* scale, Real* loss, void* stream) {
  return LAUNCH((finish_loss<Real>), 1, kFinishThreads, 0, stream, partial, count, scale, loss);
}

template <typename T>
int scale_gradient_cuda(T* gradient, const Compute<T>* factor, int64_t count, void* stream) {
  const int64_t blocks = std::min((count + kScaleThreads - 1) / kScaleThreads, kMaxBlocks);
  return LAUNCH((scale_gradient<T>), static_cast<unsigned>(blocks), kScaleThreads, 0, stream, gradient, factor, count);
}

template int finish_loss_cuda<float>(const double*, int64_t, const float*, float*, void*);
template int finish_loss_cuda<double>(const double*, int64_t, const double*, double*, void*);

#define NIRTRANS_INSTANTIATE(T)                                                                         \
  template int cross_entropy_cuda<T>(const CrossEntropyInput<T>&, const CrossEntropyOutput<T>&, void*); \
  template int64_t cross_entropy_cuda_blocks<T>(const Planes&);                                         \
  template int scale_gradient_cuda<T>(T*, const Compute<T>*, int64_t, void*);

NIRTRANS_INSTANTIATE(Half)
NIRTRANS_INSTANTIATE(BFloat16)
NIRTRANS_INSTANTIATE(float)
NIRTRANS_INSTANTIATE(double)
#undef NIRTRANS_INSTANTIATE

}  // namespace nirtrans::core
