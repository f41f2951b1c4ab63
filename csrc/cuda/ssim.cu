#include <algorithm>
#include <cmath>

#include "../core/ssim_kernels.h"
#include "launch.h"

// A block walks down a strip of a plane, one thread per column. Each row is filtered along x through shared memory; the
// rings of filtered rows and of derivatives belong to one thread each and are filtered along y without a barrier.
// Pixels are read once, plus the overlap of neighbouring strips, and gradients are written once.
namespace nirtrans::core {
namespace {

constexpr int kMostThreads = 256;
constexpr int64_t kStripRows = 128;
constexpr int64_t kMaxPlanes = 65535;  // of gridDim.y; the loop of the kernel does the rest
constexpr size_t kPreferredShared = 100 * 1024, kLargestShared = 160 * 1024;
constexpr int kSums = 5, kSlopes = 4;  // x, y, x y, x^2 + y^2, valid; derivatives by the first four

// How many threads stand side by side, and how many of them own a column.
struct Tiling {
  int threads;
  int64_t columns;
};

template <typename Real>
size_t shared_bytes(int threads, int window) {
  const size_t rows = 3 * (threads + window - 1) + kSlopes * threads;
  const size_t rings = static_cast<size_t>(window) * (kSums + kSlopes) * threads;
  return sizeof(double) * 2 * threads + sizeof(Real) * (rows + rings + kLargestWindow + 1);
}

// The fewest threads for the width, of the block sizes whose rings fit.
template <typename Real>
Tiling tiling_of(int64_t width, int window) {
  Tiling best{0, 0};
  int64_t fewest = 0;
  for (const int threads : {kMostThreads, 128, 64}) {
    const bool fits = shared_bytes<Real>(threads, window) <= (threads == 64 ? kLargestShared : kPreferredShared);
    const int64_t columns = threads - (window - 1), all = (width + columns - 1) / columns * threads;
    if (!fits || (best.threads != 0 && all >= fewest)) continue;
    best = {threads, columns}, fewest = all;
  }
  return best;
}

int64_t tiles_of(const SsimShape& shape, const Tiling& tiling) {
  return (shape.height + kStripRows - 1) / kStripRows * ((shape.width + tiling.columns - 1) / tiling.columns);
}

// What one thread knows and does. kWindow: the window if it is the usual one, so that loops unroll; 0: any.
template <typename T, int kWindow>
struct Column {
  using Real = Compute<T>;

  const SsimTensors<T>& t;
  const SsimShape& shape;
  const SsimSettings& settings;
  int lane, lanes;
  // Shared memory.
  Real *taps = nullptr, *row_x = nullptr, *row_y = nullptr, *row_valid = nullptr, *slopes = nullptr;
  Real *sums_ring = nullptr, *slopes_ring = nullptr;
  // The pixels of the tile, and the column of the centre and of the pixel that the thread works on.
  int64_t plane = 0, y0 = 0, y1 = 0, x0 = 0, x1 = 0, x = 0;
  Axis axis_y{}, axis_x{};

  NIRTRANS_HD int window() const { return kWindow != 0 ? kWindow : settings.window; }
  NIRTRANS_HD int radius() const { return window() / 2; }
  NIRTRANS_HD bool owns_pixel() const { return x >= x0 && x < x1; }
  NIRTRANS_HD bool is_center() const {
    return x >= axis_x.low && x < axis_x.high && x >= x0 - radius() && x < x1 + radius();
  }
  NIRTRANS_HD bool valid(int64_t y, int64_t column) const {
    return t.mask == nullptr || t.mask[(plane / shape.channels * shape.height + y) * shape.width + column] != 0;
  }
  NIRTRANS_HD Real weight(int64_t length, int64_t center, int64_t pixel) const {
    return axis_weight(taps, radius(), length, settings.padding, center, pixel);
  }
  NIRTRANS_HD bool near_border(int64_t length, int64_t at) const {
    return at <= radius() || at >= length - 1 - radius();
  }

  NIRTRANS_HD void load_row(int64_t y) const {
    for (int k = lane; k < lanes + window() - 1; k += lanes) {
      const int64_t column = x0 - (window() - 1) + k;
      const bool inside = column >= 0 && column < shape.width && valid(y, column);
      const int64_t offset = inside ? shape.offset(plane, y, column) : 0;
      row_x[k] = inside ? widen(t.x[offset]) : Real(0);
      row_y[k] = inside ? widen(t.y[offset]) : Real(0);
      row_valid[k] = inside ? Real(1) : Real(0);
    }
  }

  // The row in shared memory, filtered along x around this column, goes to the ring.
  NIRTRANS_HD void filter_row(int64_t y) const {
    Real sum[kSums] = {};
    const bool border = near_border(shape.width, x);
    for (int k = 0; k < window(); ++k) {
      const Real tap = border ? weight(shape.width, x, x - radius() + k) : taps[k];
      const Real a = row_x[lane + k], b = row_y[lane + k];
      sum[0] += tap * a;
      sum[1] += tap * b;
      sum[2] += tap * (a * b);
      sum[3] += tap * (a * a + b * b);
      sum[4] += tap * row_valid[lane + k];
    }
    Real* slot = sums_ring + static_cast<int>(y % window()) * kSums * lanes + lane;
    for (int q = 0; q < kSums; ++q) slot[q * lanes] = sum[q];
  }

  // The point of the map at (center, x), from the ring.
  NIRTRANS_HD SsimPoint<Real> point(int64_t center, double& total) const {
    if (!is_center() || !valid(center, x)) return keep(center, {}, total);
    Real sum[kSums] = {};
    for (int k = 0; k < window(); ++k) {
      const int64_t y = center - radius() + k;
      if (y < 0 || y >= shape.height) continue;
      const Real tap = near_border(shape.height, center) ? weight(shape.height, center, y) : taps[k];
      const Real* slot = sums_ring + static_cast<int>(y % window()) * kSums * lanes + lane;
      for (int q = 0; q < kSums; ++q) sum[q] += tap * slot[q * lanes];
    }
    const Real share =
        t.mask == nullptr ? Real(1) : sum[4] + Real(1) - cover(shape.height, center) * cover(shape.width, x);
    const Real scale = Real(1) / share;
    SsimPoint<Real> p = ssim_point(sum[0] * scale, sum[1] * scale, sum[2] * scale, sum[3] * scale,
                                   static_cast<Real>(settings.c1), static_cast<Real>(settings.c2), settings.contrast);
    const Real factor = scale * (t.upstream == nullptr ? Real(1) : t.upstream[map_offset(center)]);
    p.d_mu_x *= factor, p.d_mu_y *= factor, p.d_product *= factor, p.d_square *= factor;
    return keep(center, p, total);
  }

  // The weight of the pixels that exist; zero padding lacks some.
  NIRTRANS_HD Real cover(int64_t length, int64_t center) const {
    Real sum = 0;
    for (int k = 0; k < window(); ++k) sum += weight(length, center, center - radius() + k);
    return sum;
  }

  NIRTRANS_HD int64_t map_offset(int64_t center) const {
    const int64_t height = axis_y.high - axis_y.low, width = axis_x.high - axis_x.low;
    return (plane * height + center - axis_y.low) * width + x - axis_x.low;
  }

  // Into the map and the sum, if the point belongs to this tile.
  NIRTRANS_HD SsimPoint<Real> keep(int64_t center, SsimPoint<Real> p, double& total) const {
    if (!owns_pixel() || x < axis_x.low || x >= axis_x.high || center < y0 || center >= y1) return p;
    if (t.map != nullptr) t.map[map_offset(center)] = p.value;
    total += static_cast<double>(p.value);
    return p;
  }

  NIRTRANS_HD void share_slopes(const SsimPoint<Real>& p) const {
    slopes[lane] = p.d_mu_x;
    slopes[lanes + lane] = p.d_mu_y;
    slopes[2 * lanes + lane] = p.d_product;
    slopes[3 * lanes + lane] = p.d_square;
  }

  // Derivatives of row `center`, filtered along x around this pixel, go to the other ring.
  NIRTRANS_HD void filter_slopes(int64_t center) const {
    if (!owns_pixel()) return;
    Real sum[kSlopes] = {};
    const bool border = near_border(shape.width, x);
    for (int k = 0; k < window(); ++k) {
      const Real tap = border ? weight(shape.width, x - radius() + k, x) : taps[k];
      for (int d = 0; d < kSlopes; ++d) sum[d] += tap * slopes[d * lanes + lane - radius() + k];
    }
    Real* slot = slopes_ring + static_cast<int>(center % window()) * kSlopes * lanes + lane;
    for (int d = 0; d < kSlopes; ++d) slot[d * lanes] = sum[d];
  }

  NIRTRANS_HD void finish_pixel(int64_t y, double& l1_total) const {
    if (!owns_pixel()) return;
    const int64_t offset = shape.offset(plane, y, x);
    const bool counts = valid(y, x);
    const Real a = counts ? widen(t.x[offset]) : Real(0), b = counts ? widen(t.y[offset]) : Real(0);
    if (settings.l1_weight != 0) l1_total += fabs(static_cast<double>(a) - static_cast<double>(b));
    if (t.grad_x == nullptr && t.grad_y == nullptr) return;
    Real sum[kSlopes] = {};
    for (int k = 0; k < window(); ++k) {
      const int64_t center = y - radius() + k;
      if (center < axis_y.low || center >= axis_y.high) continue;
      const Real tap = near_border(shape.height, y) ? weight(shape.height, center, y) : taps[k];
      const Real* slot = slopes_ring + static_cast<int>(center % window()) * kSlopes * lanes + lane;
      for (int d = 0; d < kSlopes; ++d) sum[d] += tap * slot[d * lanes];
    }
    const Real scale = static_cast<Real>(settings.weight), l1 = static_cast<Real>(settings.l1_weight);
    const Real sign = a > b ? l1 : a < b ? -l1 : Real(0);
    const Real grad_x = scale * (sum[0] + b * sum[2] + Real(2) * a * sum[3]) + sign;
    const Real grad_y = scale * (sum[1] + a * sum[2] + Real(2) * b * sum[3]) - sign;
    if (t.grad_x != nullptr) narrow(counts ? grad_x : Real(0), t.grad_x[offset]);
    if (t.grad_y != nullptr) narrow(counts ? grad_y : Real(0), t.grad_y[offset]);
  }
};

template <typename T, int kWindow>
__global__ void __launch_bounds__(kMostThreads, 2)
    sweep(SsimTensors<T> tensors, SsimShape shape, SsimSettings settings, Axis axis_y, Axis axis_x, int64_t columns) {
  using Real = Compute<T>;
  NIRTRANS_DYNAMIC_SHARED(double, shared);
  const int lanes = static_cast<int>(blockDim.x), lane = static_cast<int>(threadIdx.x);
  Column<T, kWindow> column{tensors, shape, settings, lane, lanes};
  const int radius = column.radius(), window = column.window();
  column.taps = reinterpret_cast<Real*>(shared + 2 * lanes);
  column.row_x = column.taps + kLargestWindow + 1;
  column.row_y = column.row_x + lanes + window - 1;
  column.row_valid = column.row_y + lanes + window - 1;
  column.slopes = column.row_valid + lanes + window - 1;
  column.sums_ring = column.slopes + kSlopes * lanes;
  column.slopes_ring = column.sums_ring + window * kSums * lanes;
  column.axis_y = axis_y, column.axis_x = axis_x;
  for (int k = lane; k < window; k += lanes) column.taps[k] = static_cast<Real>(settings.taps[k]);

  const int64_t across = (shape.width + columns - 1) / columns;
  column.y0 = blockIdx.x / across * kStripRows, column.x0 = blockIdx.x % across * columns;
  column.y1 = column.y0 + kStripRows < shape.height ? column.y0 + kStripRows : shape.height;
  column.x1 = column.x0 + columns < shape.width ? column.x0 + columns : shape.width;
  column.x = column.x0 - radius + lane;
  const int64_t first = column.y0 - radius > axis_y.low ? column.y0 - radius : axis_y.low;
  const int64_t last = column.y1 + radius < axis_y.high ? column.y1 + radius : axis_y.high;

  for (column.plane = blockIdx.y; column.plane < shape.planes(); column.plane += gridDim.y) {
    double total = 0, l1_total = 0;
    for (int64_t row = first - radius; row < column.y1 + 2 * radius; ++row) {
      const int64_t center = row - radius, pixel = center - radius;
      const bool exists = row >= 0 && row < shape.height && row < last + radius;
      if (exists) column.load_row(row);
      __syncthreads();
      if (exists) column.filter_row(row);
      if (center >= first && center < last) column.share_slopes(column.point(center, total));
      __syncthreads();
      if (center >= first && center < last) column.filter_slopes(center);
      if (pixel >= column.y0) column.finish_pixel(pixel, l1_total);
    }
    if (tensors.sums == nullptr) continue;
    shared[lane] = total, shared[lanes + lane] = l1_total;
    for (int half = lanes / 2; half > 0; half /= 2) {
      __syncthreads();
      if (lane < half) shared[lane] += shared[lane + half], shared[lanes + lane] += shared[lanes + lane + half];
    }
    if (lane == 0) {
      double* sums = tensors.sums + 2 * (column.plane * gridDim.x + blockIdx.x);
      sums[0] = shared[0], sums[1] = shared[lanes];
    }
    __syncthreads();
  }
}

__global__ void __launch_bounds__(kMostThreads) add_up(const double* __restrict__ sums, double* __restrict__ values,
                                                       int64_t planes, int64_t tiles, SsimSettings settings) {
  for (int64_t plane = int64_t{blockIdx.x} * kMostThreads + threadIdx.x; plane < planes;
       plane += int64_t{gridDim.x} * kMostThreads)
    ssim_add_up(sums, values, tiles, plane, plane + 1, settings);
}

template <typename T, int kWindow>
int launch_sweep(const SsimTensors<T>& tensors, const SsimShape& shape, const SsimSettings& settings, void* stream) {
  const Tiling tiling = tiling_of<Compute<T>>(shape.width, settings.window);
  const dim3 grid(static_cast<unsigned>(tiles_of(shape, tiling)),
                  static_cast<unsigned>(std::min(shape.planes(), kMaxPlanes)));
  return LAUNCH((sweep<T, kWindow>), grid, static_cast<unsigned>(tiling.threads),
                shared_bytes<Compute<T>>(tiling.threads, settings.window), stream, tensors, shape, settings,
                axis_of(shape.height, settings), axis_of(shape.width, settings), tiling.columns);
}

}  // namespace

template <typename T>
int64_t ssim_cuda_tiles(const SsimShape& shape, const SsimSettings& settings) {
  return tiles_of(shape, tiling_of<Compute<T>>(shape.width, settings.window));
}

template <typename T>
int ssim_cuda(const SsimTensors<T>& tensors, const SsimShape& shape, const SsimSettings& settings, void* stream) {
  return settings.window == 11 ? launch_sweep<T, 11>(tensors, shape, settings, stream)
                               : launch_sweep<T, 0>(tensors, shape, settings, stream);
}

int ssim_add_up_cuda(const double* sums, double* values, int64_t planes, int64_t tiles, const SsimSettings& settings,
                     void* stream) {
  const int64_t blocks = std::min<int64_t>((planes + kMostThreads - 1) / kMostThreads, kMaxPlanes);
  return LAUNCH(add_up, static_cast<unsigned>(blocks), static_cast<unsigned>(kMostThreads), 0, stream, sums, values,
                planes, tiles, settings);
}

#define NIRTRANS_INSTANTIATE(T)                                               \
  template int64_t ssim_cuda_tiles<T>(const SsimShape&, const SsimSettings&); \
  template int ssim_cuda<T>(const SsimTensors<T>&, const SsimShape&, const SsimSettings&, void*);

NIRTRANS_INSTANTIATE(Half)
NIRTRANS_INSTANTIATE(BFloat16)
NIRTRANS_INSTANTIATE(float)
NIRTRANS_INSTANTIATE(double)
#undef NIRTRANS_INSTANTIATE

}  // namespace nirtrans::core
