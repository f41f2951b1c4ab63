#include "../core/candidates.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <utility>

namespace nirtrans::core {
namespace {

constexpr double kSlack = 1e-3;  // more than float rounds a distance by
constexpr size_t kMostKept = 64;

// Of the distances between a number and an interval.
struct Bounds {
  double smallest, largest;
};

Bounds bounds(double x, double low) {
  const double high = low + kCellSide;
  return {std::max({low - x, x - high, 0.0}), std::max(std::abs(x - low), std::abs(x - high))};
}

void list_cell(IndexedBins& index, double low_a, double low_b, int32_t neighbors) {
  std::vector<double> smallest, largest;
  for (size_t i = 0; i < index.bins.size(); i += 2) {
    const Bounds a = bounds(index.bins[i], low_a), b = bounds(index.bins[i + 1], low_b);
    smallest.push_back(std::hypot(a.smallest, b.smallest));
    largest.push_back(std::hypot(a.largest, b.largest));
  }
  std::nth_element(largest.begin(), largest.begin() + neighbors - 1, largest.end());
  for (size_t bin = 0; bin < smallest.size(); ++bin)
    if (smallest[bin] <= largest[neighbors - 1] + kSlack) index.lists.push_back(static_cast<uint16_t>(bin));
}

IndexedBins build(std::vector<float> bins, int32_t neighbors) {
  IndexedBins index{std::move(bins), {0}, {}};
  for (int32_t row = 0; row < kCellsPerSide; ++row)
    for (int32_t column = 0; column < kCellsPerSide; ++column) {
      list_cell(index, kCoverLow + row * kCellSide, kCoverLow + column * kCellSide, neighbors);
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
