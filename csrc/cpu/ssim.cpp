#include <algorithm>
#include <cmath>
#include <vector>

#include "../core/ssim_kernels.h"
#include "blocks.h"
#include "ssim_rows.h"

// One sweep down a tile makes the map, its sum and the gradient. Two rings of rows are all it keeps: input rows
// filtered along x, and rows of derivatives filtered along x, which lag behind by half a window.
namespace nirtrans::core {
namespace {

enum Quantity : int32_t { kX, kY, kProduct, kSquare, kValid, kQuantities };
enum Derivative : int32_t { kMuX, kMuY, kByProduct, kBySquare, kDerivatives };

struct Interval {
  int64_t first, last;  // half open
  int64_t count() const { return last > first ? last - first : 0; }
};

Interval intersection(Interval a, Interval b) { return {std::max(a.first, b.first), std::min(a.last, b.last)}; }

// In eight lanes, which are vector registers to the compiler, added up in their order.
template <typename Term>
NIRTRANS_HD double sum_of(int64_t count, const Term& term) {
  double lanes[8] = {}, sum = 0;
  const int64_t whole = count / 8 * 8;
  for (int64_t i = 0; i < whole; i += 8)
    for (int64_t lane = 0; lane < 8; ++lane) lanes[lane] += term(i + lane);
  for (int64_t i = whole; i < count; ++i) lanes[i - whole] += term(i);
  for (const double lane : lanes) sum += lane;
  return sum;
}

template <typename Real>
using Row = std::vector<Real>;

// As many rows of each quantity as the window is high; older ones are overwritten.
template <typename Real>
class Ring {
 public:
  Ring(int32_t window, int32_t quantities, int64_t length)
      : window_(window), quantities_(quantities), length_(length), data_(window * quantities * length) {}
  Real* row(int64_t y, int32_t quantity) { return data_.data() + (y % window_ * quantities_ + quantity) * length_; }

 private:
  int64_t window_, quantities_, length_;
  std::vector<Real> data_;
};

template <typename T>
class Sweep {
  using Real = Compute<T>;

 public:
  Sweep(const SsimTensors<T>& tensors, const SsimShape& shape, const SsimSettings& settings)
      : t_(tensors),
        shape_(shape),
        s_(settings),
        radius_(settings.window / 2),
        axis_y_(axis_of(shape.height, settings)),
        axis_x_(axis_of(shape.width, settings)),
        length_(row_length(std::min(shape.width, kSsimColumns) + 4 * radius_) + kRowStep),
        filtered_(settings.window, kQuantities, length_),
        derivatives_(settings.window, kDerivatives, length_),
        zeros_(length_) {
    std::copy(s_.taps, s_.taps + s_.window, taps_);
    for (auto* rows : {source_, means_, own_, combined_})
      for (int32_t q = 0; q < kQuantities; ++q) rows[q].assign(length_, Real(0));
    for (auto& row : point_) row.assign(length_, Real(0));
  }

  void run(int64_t unit) {
    place(unit);
    const bool any = centers_y_.count() > 0 && centers_x_.count() > 0;
    int64_t next_row = std::max<int64_t>(0, centers_y_.first - radius_), next_center = centers_y_.first;
    for (int64_t y = tile_y_.first; y < tile_y_.last; ++y) {
      const int64_t last = any ? std::min(y + reach_, centers_y_.last - 1) : -1;
      for (; next_center <= last; ++next_center) {
        for (; next_row <= std::min(next_center + radius_, shape_.height - 1); ++next_row) filter_input(next_row);
        make_points(next_center);
      }
      if (t_.grad_x || t_.grad_y || s_.l1_weight != 0) finish_row(y, any);
    }
    if (t_.sums) t_.sums[2 * unit] = sum_, t_.sums[2 * unit + 1] = l1_sum_;
  }

 private:
  bool gradient() const { return t_.grad_x || t_.grad_y; }

  void place(int64_t unit) {
    const int64_t across = (shape_.width + kSsimColumns - 1) / kSsimColumns;
    const int64_t tile = unit % ssim_tiles(shape_);
    plane_ = unit / ssim_tiles(shape_);
    const int64_t y = tile / across * kSsimRows, x = tile % across * kSsimColumns;
    tile_y_ = {y, std::min(y + kSsimRows, shape_.height)};
    tile_x_ = {x, std::min(x + kSsimColumns, shape_.width)};
    reach_ = gradient() ? radius_ : 0;
    centers_y_ = intersection({tile_y_.first - reach_, tile_y_.last + reach_}, {axis_y_.low, axis_y_.high});
    centers_x_ = intersection({tile_x_.first - reach_, tile_x_.last + reach_}, {axis_x_.low, axis_x_.high});
    for (auto& row : point_) std::fill(row.begin(), row.end(), Real(0));
    sum_ = l1_sum_ = 0;
  }

  // Pixels [columns] of row y of one input, zero outside the image; what is masked is zero as well.
  void load_row(const T* tensor, int64_t y, Interval columns, Real* to) const {
    const Interval inside = intersection(columns, {0, shape_.width});
    std::fill(to, to + inside.first - columns.first, Real(0));
    std::fill(to + inside.last - columns.first, to + row_length(columns.count()), Real(0));
    const T* from = tensor + shape_.offset(plane_, y, inside.first);
    Real* first = to + (inside.first - columns.first);
    if (shape_.pixel_stride() == 1) {
      load_plane(from, inside.count(), first);
    } else {
      for (int64_t i = 0; i < inside.count(); ++i) first[i] = widen(from[i * shape_.pixel_stride()]);
    }
    if (!t_.mask) return;
    const uint8_t* valid = mask_row(y) + inside.first;
    for (int64_t i = 0; i < inside.count(); ++i) first[i] = valid[i] ? first[i] : Real(0);
  }

  const uint8_t* mask_row(int64_t y) const {
    return t_.mask + (plane_ / shape_.channels * shape_.height + y) * shape_.width;
  }

  int32_t quantities() const { return t_.mask ? kQuantities : kValid; }

  void filter_input(int64_t y) {
    const Interval columns = {centers_x_.first - radius_, centers_x_.last + radius_};
    load_row(t_.x, y, columns, source_[kX].data());
    load_row(t_.y, y, columns, source_[kY].data());
    multiply_rows(source_[kX].data(), source_[kY].data(), source_[kProduct].data(), source_[kSquare].data(),
                  row_length(columns.count()));
    if (t_.mask) {
      const Interval inside = intersection(columns, {0, shape_.width});
      std::fill(source_[kValid].begin(), source_[kValid].end(), Real(0));
      for (int64_t x = inside.first; x < inside.last; ++x) source_[kValid][x - columns.first] = mask_row(y)[x];
    }
    for (int32_t q = 0; q < quantities(); ++q)
      filter_along_x(source_[q].data(), columns.first, centers_x_, false, filtered_.row(y, q));
  }

  // `in` starts at column `origin` = wanted.first - radius. Up to `radius` pixels from the border reflection changes
  // the weights; `adjoint` sums over the centres around a pixel instead of the pixels around a centre.
  void filter_along_x(const Real* in, int64_t origin, Interval wanted, bool adjoint, Real* out) const {
    filter_row(in, taps_, s_.window, out, row_length(wanted.count()));
    if (s_.padding != Padding::reflect) return;
    const int64_t near_end = std::max<int64_t>(radius_ + 1, shape_.width - 1 - radius_);
    for (const Interval border : {Interval{0, radius_ + 1}, Interval{near_end, shape_.width}}) {
      const Interval part = intersection(wanted, border);
      for (int64_t x = part.first; x < part.last; ++x) {
        Real sum = 0;
        for (int64_t k = x - radius_; k <= x + radius_; ++k)
          sum += (adjoint ? weight_x(k, x) : weight_x(x, k)) * in[k - origin];
        out[x - wanted.first] = sum;
      }
    }
  }

  Real weight_x(int64_t center, int64_t x) const {
    return axis_weight(taps_, radius_, shape_.width, s_.padding, center, x);
  }
  Real weight_y(int64_t center, int64_t y) const {
    return axis_weight(taps_, radius_, shape_.height, s_.padding, center, y);
  }

  // The rows of a ring around `center` with their weights; rows that do not exist weigh nothing.
  struct Band {
    int64_t rows[kLargestWindow];  // -1: none
    Real weights[kLargestWindow];
  };

  Band band_around(int64_t center, Interval existing, bool adjoint) const {
    Band band;
    for (int32_t k = 0; k < s_.window; ++k) {
      const int64_t y = center - radius_ + k;
      const bool exists = y >= existing.first && y < existing.last;
      band.rows[k] = exists ? y : -1;
      band.weights[k] = !exists ? Real(0) : adjoint ? weight_y(y, center) : weight_y(center, y);
    }
    return band;
  }

  void filter_along_y(Ring<Real>& ring, const Band& band, int32_t quantity, Real* out, int64_t count) {
    const Real* rows[kLargestWindow];
    for (int32_t k = 0; k < s_.window; ++k)
      rows[k] = band.rows[k] < 0 ? zeros_.data() : ring.row(band.rows[k], quantity);
    combine_rows(rows, band.weights, s_.window, out, row_length(count));
  }

  void make_points(int64_t center) {
    const int64_t count = centers_x_.count();
    const Band band = band_around(center, {0, shape_.height}, false);
    for (int32_t q = 0; q < quantities(); ++q) filter_along_y(filtered_, band, q, means_[q].data(), count);
    if (t_.mask) normalize(center);
    // The derivatives lie where the adjoint filter of this tile's columns wants them.
    const int64_t margin = centers_x_.first - (tile_x_.first - reach_);
    Real* rows[kDerivatives];
    for (int32_t d = 0; d < kDerivatives; ++d) rows[d] = point_[d].data() + margin;
    point_row(means_[kX].data(), means_[kY].data(), means_[kProduct].data(), means_[kSquare].data(),
              static_cast<Real>(s_.c1), static_cast<Real>(s_.c2), s_.contrast,
              {value_.data(), rows[kMuX], rows[kMuY], rows[kByProduct], rows[kBySquare]}, row_length(count));
    // All else in these rows is zero, but for what rounding the length up has written.
    for (int32_t d = 0; d < kDerivatives; ++d) std::fill(rows[d] + count, rows[d] + row_length(count), Real(0));
    if (t_.mask) drop_uncounted(center, rows);
    keep_values(center);
    if (t_.upstream) apply_upstream(center, rows);
    if (!gradient()) return;
    for (int32_t d = 0; d < kDerivatives; ++d)
      if (wanted(d))
        filter_along_x(point_[d].data(), tile_x_.first - radius_, tile_x_, true, derivatives_.row(center, d));
  }

  bool wanted(int32_t derivative) const {
    return derivative == kMuX ? t_.grad_x != nullptr : derivative != kMuY || t_.grad_y != nullptr;
  }

  // Divide by the share of the window that is valid; padding with zeros counts as valid.
  void normalize(int64_t center) {
    Real rows = 0;
    for (int64_t y = center - radius_; y <= center + radius_; ++y) rows += weight_y(center, y);
    for (int64_t i = 0; i < centers_x_.count(); ++i) {
      Real columns = 0;
      const int64_t x = centers_x_.first + i;
      for (int64_t k = x - radius_; k <= x + radius_; ++k) columns += weight_x(x, k);
      Real& valid = means_[kValid][i];
      valid += Real(1) - rows * columns;
      for (int32_t q = 0; q < kValid; ++q) means_[q][i] /= valid;
    }
  }

  void drop_uncounted(int64_t center, Real* const* rows) {
    for (int64_t i = 0; i < centers_x_.count(); ++i) {
      const bool counted = mask_row(center)[centers_x_.first + i] != 0;
      value_[i] = counted ? value_[i] : Real(0);
      for (int32_t d = 0; d < kDerivatives; ++d) rows[d][i] = counted ? rows[d][i] / means_[kValid][i] : Real(0);
    }
  }

  // Into the map and the sum, if the point belongs to this tile.
  void keep_values(int64_t center) {
    if (center < tile_y_.first || center >= tile_y_.last) return;
    const Interval own = intersection(tile_x_, centers_x_);
    const Real* value = value_.data() + (own.first - centers_x_.first);
    if (t_.map) std::copy(value, value + own.count(), t_.map + map_offset(center, own.first));
    if (!t_.sums) return;
    sum_ += sum_of(own.count(), [&](int64_t i) { return static_cast<double>(value[i]); });
  }

  int64_t map_offset(int64_t center, int64_t x) const {
    const int64_t height = axis_y_.high - axis_y_.low, width = axis_x_.high - axis_x_.low;
    return (plane_ * height + center - axis_y_.low) * width + x - axis_x_.low;
  }

  void apply_upstream(int64_t center, Real* const* rows) const {
    const Real* upstream = t_.upstream + map_offset(center, centers_x_.first);
    for (int32_t d = 0; d < kDerivatives; ++d)
      for (int64_t i = 0; i < centers_x_.count(); ++i)
        rows[d][i] = rows[d][i] == Real(0) ? Real(0) : rows[d][i] * upstream[i];
  }

  // One row of |x - y| and of the gradients.
  void finish_row(int64_t y, bool any) {
    load_row(t_.x, y, tile_x_, own_[kX].data());
    load_row(t_.y, y, tile_x_, own_[kY].data());
    const int64_t count = tile_x_.count();
    if (s_.l1_weight != 0)
      l1_sum_ += sum_of(count, [&](int64_t i) { return std::abs(static_cast<double>(own_[kX][i]) - own_[kY][i]); });
    if (!gradient()) return;
    const Band band = band_around(y, any ? centers_y_ : Interval{0, 0}, true);
    for (int32_t d = 0; d < kDerivatives; ++d)
      if (wanted(d)) filter_along_y(derivatives_, band, d, combined_[d].data(), count);
    if (t_.grad_x) store_gradient(t_.grad_x, y, kMuX, own_[kX].data(), own_[kY].data());
    if (t_.grad_y) store_gradient(t_.grad_y, y, kMuY, own_[kY].data(), own_[kX].data());
  }

  void store_gradient(T* tensor, int64_t y, Derivative mean, const Real* own, const Real* other) {
    const int64_t count = tile_x_.count();
    Real* row = value_.data();
    gradient_row(combined_[mean].data(), combined_[kByProduct].data(), combined_[kBySquare].data(), own, other,
                 static_cast<Real>(s_.weight), row, row_length(count));
    if (s_.l1_weight != 0) {
      const Real weight = static_cast<Real>(s_.l1_weight);
      for (int64_t i = 0; i < count; ++i) row[i] += own[i] > other[i] ? weight : own[i] < other[i] ? -weight : Real(0);
    }
    if (t_.mask)
      for (int64_t i = 0; i < count; ++i) row[i] = mask_row(y)[tile_x_.first + i] ? row[i] : Real(0);
    T* to = tensor + shape_.offset(plane_, y, tile_x_.first);
    if (shape_.pixel_stride() == 1) return store_plane(row, count, to);
    for (int64_t i = 0; i < count; ++i) narrow(row[i], to[i * shape_.pixel_stride()]);
  }

  const SsimTensors<T> t_;
  const SsimShape shape_;
  const SsimSettings s_;
  const int32_t radius_;
  const Axis axis_y_, axis_x_;
  const int64_t length_;  // of every row buffer
  Real taps_[kLargestWindow];
  Ring<Real> filtered_, derivatives_;
  Row<Real> source_[kQuantities], means_[kQuantities], own_[kQuantities], combined_[kQuantities], point_[kDerivatives];
  Row<Real> value_ = Row<Real>(length_);
  Row<Real> zeros_;

  int64_t plane_ = 0, reach_ = 0;
  Interval tile_y_{}, tile_x_{}, centers_y_{}, centers_x_{};
  double sum_ = 0, l1_sum_ = 0;
};

}  // namespace

template <typename T>
void ssim_cpu(const SsimTensors<T>& tensors, const SsimShape& shape, const SsimSettings& settings, int64_t first,
              int64_t last) {
  Sweep<T> sweep(tensors, shape, settings);
  for (int64_t unit = first; unit < last; ++unit) sweep.run(unit);
}

#define NIRTRANS_INSTANTIATE(T) \
  template void ssim_cpu<T>(const SsimTensors<T>&, const SsimShape&, const SsimSettings&, int64_t, int64_t);

NIRTRANS_INSTANTIATE(Half)
NIRTRANS_INSTANTIATE(BFloat16)
NIRTRANS_INSTANTIATE(float)
NIRTRANS_INSTANTIATE(double)
#undef NIRTRANS_INSTANTIATE

}  // namespace nirtrans::core
