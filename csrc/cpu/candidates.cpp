#include "../core/candidates.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <utility>

namespace nirtrans::core {
namespace {

// More than float rounds a distance by: near, and as a share of it far away.
constexpr double kSlack = 1e-3, kShare = 1e-6;
constexpr size_t kMostKept = 64;

// Of the distances between a number and an interval.
struct Bounds {
  double smallest, largest;
};

Bounds bounds(double x, double low) {
  const double high = low + kCellSide;
  return {std::max({low - x, x - high, 0.0}), std::max(std::abs(x - low), std::abs(x - high))};
}

// Squared distances of every bin to a cell.
struct Distances {
  std::vector<double> smallest, largest, sorted;
};

void list_cell(IndexedBins& index, double low_a, double low_b, int32_t neighbors, Distances& squared) {
  for (size_t bin = 0; bin < squared.smallest.size(); ++bin) {
    const Bounds a = bounds(index.bins[2 * bin], low_a), b = bounds(index.bins[2 * bin + 1], low_b);
    squared.smallest[bin] = a.smallest * a.smallest + b.smallest * b.smallest;
    squared.largest[bin] = a.largest * a.largest + b.largest * b.largest;
  }
  squared.sorted = squared.largest;
  const auto last = squared.sorted.begin() + neighbors - 1;
  std::nth_element(squared.sorted.begin(), last, squared.sorted.end());
  const double reach = std::sqrt(*last) * (1 + kShare) + kSlack;
  for (size_t bin = 0; bin < squared.smallest.size(); ++bin)
    if (squared.smallest[bin] <= reach * reach) index.lists.push_back(static_cast<uint16_t>(bin));
}

IndexedBins build(std::vector<float> bins, int32_t neighbors) {
  IndexedBins index{std::move(bins), {0}, {}};
  const std::vector<double> none(index.bins.size() / 2);
  Distances squared{none, none, none};
  for (int32_t row = 0; row < kCellsPerSide; ++row)
    for (int32_t column = 0; column < kCellsPerSide; ++column) {
      list_cell(index, kCoverLow + row * kCellSide, kCoverLow + column * kCellSide, neighbors, squared);
      index.starts.push_back(static_cast<int32_t>(index.lists.size()));
    }
  return index;
}

}  // namespace

std::shared_ptr<const IndexedBins> indexed_bins(const float* bins, int32_t count, int32_t neighbors) {
  using Key = std::pair<int32_t, std::vector<float>>;
  static auto& lock = *new std::mutex;  // never destroyed: threads may outlive the statics
  static auto& kept = *new std::map<Key, std::shared_ptr<const IndexedBins>>;
  Key key{neighbors, {bins, bins + 2 * int64_t{count}}};
  const std::lock_guard<std::mutex> guard(lock);
  if (const auto found = kept.find(key); found != kept.end()) return found->second;
  if (kept.size() == kMostKept) kept.clear();
  auto index = std::make_shared<const IndexedBins>(build(key.second, neighbors));
  kept.emplace(std::move(key), index);
  return index;
}

}  // namespace nirtrans::core
