#pragma once

#include "exponential.h"

// The bins of the ab plane nearest to a colour. Only the bins listed for the cell of the colour are compared: each list
// holds every bin that is among the nearest for some point of its cell.
namespace nirtrans::core {

constexpr int32_t kCellsPerSide = 104;
constexpr double kCellSide = 2.5, kCoverLow = -130.0, kCoverHigh = kCoverLow + kCellsPerSide * kCellSide;

struct BinTable {
  const float* bins;      // pairs (a, b)
  const int32_t* starts;  // of the list of each cell, one more than cells; cells by a, then b
  const uint16_t* lists;  // bins in ascending order
  int32_t count;          // of bins
};

// How colours become neighbours and weights.
struct Encoding {
  int32_t neighbors;  // 1 to the number of bins
  double falloff;     // 1 / (2 sigma^2)
};

template <typename Real>
struct Neighbor {
  Real distance;  // squared
  int32_t bin;
};

// The bins to compare a colour with: those of its cell, all of them outside the cover.
struct Candidates {
  const uint16_t* list;  // null: all
  int32_t count;
};

template <typename Real>
NIRTRANS_HD Candidates candidates_of(const BinTable& table, Real a, Real b) {
  const Real low = Real(kCoverLow), high = Real(kCoverHigh);
  if (!(a >= low && a < high && b >= low && b < high)) return {nullptr, table.count};
  const int32_t row = static_cast<int32_t>((a - low) * Real(1 / kCellSide));
  const int32_t column = static_cast<int32_t>((b - low) * Real(1 / kCellSide));
  const int32_t cell = row * kCellsPerSide + column;
  return {table.lists + table.starts[cell], table.starts[cell + 1] - table.starts[cell]};
}

NIRTRANS_HD int32_t bin_at(const Candidates& candidates, int32_t i) {
  return candidates.list == nullptr ? i : candidates.list[i];
}

// NaN counts as infinity, which keeps the order total and makes every weight NaN.
template <typename Real>
NIRTRANS_HD Real squared_distance(const BinTable& table, int32_t bin, Real a, Real b) {
  const Real da = a - Real(table.bins[2 * bin]), db = b - Real(table.bins[2 * bin + 1]);
  const Real distance = da * da + db * db;
  return distance < Real(HUGE_VAL) ? distance : Real(HUGE_VAL);
}

// The neighbour that follows `previous` by distance, then number; {-1, -1} precedes all.
template <typename Real>
NIRTRANS_HD Neighbor<Real> next_nearest(const BinTable& table, const Candidates& candidates, Real a, Real b,
                                        Neighbor<Real> previous) {
  Neighbor<Real> best = {Real(HUGE_VAL), -1};
  for (int32_t i = 0; i < candidates.count; ++i) {
    const int32_t bin = bin_at(candidates, i);
    const Real distance = squared_distance(table, bin, a, b);
    const bool later = distance > previous.distance || (distance == previous.distance && bin > previous.bin);
    if (later && (distance < best.distance || best.bin < 0)) best = {distance, bin};
  }
  return best;
}

// A key orders as distance, then number of the bin, since the bits of floats that are not negative do.
NIRTRANS_HD uint64_t key_of(float distance, int32_t bin) {
  return uint64_t{bits_of(distance)} << 32 | static_cast<uint32_t>(bin);
}
NIRTRANS_HD Neighbor<float> neighbor_of(uint64_t key) {
  return {float_of(static_cast<uint32_t>(key >> 32)), static_cast<int32_t>(key & 0xffffffffu)};
}

// The K smallest keys in ascending order, in registers and without a branch.
template <int K>
NIRTRANS_HD void nearest_keys(const BinTable& table, const Candidates& candidates, float a, float b,
                              uint64_t (&keys)[K]) {
  for (int k = 0; k < K; ++k) keys[k] = ~uint64_t{0};
  for (int32_t i = 0; i < candidates.count; ++i) {
    const int32_t bin = bin_at(candidates, i);
    uint64_t key = key_of(squared_distance(table, bin, a, b), bin);
    for (int k = 0; k < K; ++k) {
      const uint64_t smaller = key < keys[k] ? key : keys[k];
      key = key < keys[k] ? keys[k] : key;
      keys[k] = smaller;
    }
  }
}

template <int K, typename Keep>
NIRTRANS_HD void for_nearest_in_registers(const BinTable& table, float a, float b, Keep&& keep) {
  uint64_t keys[K];
  nearest_keys(table, candidates_of(table, a, b), a, b, keys);
  for (int32_t k = 0; k < K; ++k) keep(k, neighbor_of(keys[k]));
}

template <typename Real, typename Keep>
NIRTRANS_HD void for_nearest_one_by_one(const BinTable& table, int32_t neighbors, Real a, Real b, Keep&& keep) {
  const Candidates candidates = candidates_of(table, a, b);
  Neighbor<Real> found = {Real(-1), -1};
  for (int32_t k = 0; k < neighbors; ++k) keep(k, found = next_nearest(table, candidates, a, b, found));
}

// Call `keep(k, neighbor)` for the K nearest in ascending order; 5 and 10, which are in use, run in registers.
template <typename Keep>
NIRTRANS_HD void for_nearest(const BinTable& table, int32_t neighbors, float a, float b, Keep&& keep) {
  if (neighbors == 5) return for_nearest_in_registers<5>(table, a, b, keep);
  if (neighbors == 10) return for_nearest_in_registers<10>(table, a, b, keep);
  for_nearest_one_by_one(table, neighbors, a, b, keep);
}

template <typename Keep>
NIRTRANS_HD void for_nearest(const BinTable& table, int32_t neighbors, double a, double b, Keep&& keep) {
  for_nearest_one_by_one(table, neighbors, a, b, keep);
}

// Weights of the neighbours of one colour relative to its nearest bin, before normalisation: 1 at most, never all 0.
// The difference of the squared distances is taken as a product, since their own rounding grows with the distance.
template <typename Real>
struct Weighing {
  Real a, b;
  Real falloff;
  int32_t nearest;

  NIRTRANS_HD Real operator()(const BinTable& table, int32_t bin) const {
    const Real near_a = Real(table.bins[2 * nearest]), near_b = Real(table.bins[2 * nearest + 1]);
    const Real bin_a = Real(table.bins[2 * bin]), bin_b = Real(table.bins[2 * bin + 1]);
    const Real along_a = (near_a - bin_a) * ((a - bin_a) + (a - near_a));
    const Real along_b = (near_b - bin_b) * ((b - bin_b) + (b - near_b));
    return exp_of_negative(-(along_a + along_b) * falloff);
  }
};

}  // namespace nirtrans::core
