#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "../core/bins_kernels.h"
#include "../core/candidates.h"
#include "checks.h"

// Bin tables with their candidate lists, where a kernel can read them.
namespace nirtrans::binding {

// A table that stays valid as long as this does.
struct PlacedBins {
  std::shared_ptr<const core::IndexedBins> index;
  core::BinTable table;
};

// The bins argument of an operator: a contiguous float32 tensor (Q, 2) on the CPU. `like` says where it is needed.
PlacedBins place_bins(const Tensor& bins, int64_t neighbors, const Tensor& like);

// The layout of (N, C, H, W), which must be `readable`.
core::Planes planes_of(const Tensor& tensor);

}  // namespace nirtrans::binding
