#pragma once

#include <memory>
#include <vector>

#include "bins.h"

namespace nirtrans::core {

// A table of bins with the candidate lists of its cells, for up to `neighbors` neighbours.
struct IndexedBins {
  std::vector<float> bins;
  std::vector<int32_t> starts;
  std::vector<uint16_t> lists;

  BinTable table() const { return {bins.data(), starts.data(), lists.data(), static_cast<int32_t>(bins.size() / 2)}; }
};

// Lists by exact bounds: a bin is listed if its smallest distance to the cell does not exceed the K-th smallest of all
// largest distances, in double and with room for the rounding of float. Kept by content; any thread may ask.
std::shared_ptr<const IndexedBins> indexed_bins(const float* bins, int32_t count, int32_t neighbors);

}  // namespace nirtrans::core
