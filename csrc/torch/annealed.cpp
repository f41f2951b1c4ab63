#include <torch/csrc/stable/library.h>

#include "../core/annealed_kernels.h"
#include "bin_tables.h"
#include "pages.h"
#include "stream.h"

// Allocation and dispatch of the annealed mean.
namespace nirtrans::binding {
namespace {

// Tiles that are worth a thread of their own.
constexpr int64_t kGrain = 4;

// Candidate lists play no part here; one neighbour makes the shortest.
PlacedBins table_of(const Tensor& logits, const Tensor& bins, double temperature, const char* op) {
  STD_TORCH_CHECK(logits.dim() == 4 && bins.dim() == 2 && logits.size(1) == bins.size(0), op,
                  ": expected logits (N, Q, H, W) and bins (Q, 2)");
  STD_TORCH_CHECK(temperature > 0, op, ": expected a positive temperature");
  return place_bins(bins, 1, logits);
}

Tensor annealed_mean(const Tensor& scores, const Tensor& bins, double temperature) {
  const PlacedBins placed = table_of(scores, bins, temperature, "annealed_mean");
  const Tensor logits = readable(scores);
  const std::vector<int64_t> shape = {logits.size(0), 2, logits.size(2), logits.size(3)};
  const Tensor ab = fresh(logits, shape, compute_type(logits));
  if (logits.numel() == 0) return ab;
  const core::Planes layout = planes_of(logits);
  for_storage_type(logits, "annealed_mean", [&](auto* type) {
    using T = Pointee<decltype(type)>;
    using Real = core::Compute<T>;
    if constexpr (kWithCuda) {
      if (logits.is_cuda())
        return on_cuda(logits, "annealed_mean", [&](void* stream) {
          return core::annealed_mean_cuda(input<T>(logits), layout, placed.table.bins, temperature, output<Real>(ab),
                                          stream);
        });
    }
    on_cpu(core::tile_count(layout), kGrain, [&](int64_t first, int64_t last) {
      core::annealed_mean_cpu(input<T>(logits), layout, placed.table.bins, temperature, output<Real>(ab), first, last);
    });
  });
  return ab;
}

Tensor annealed_mean_backward(const Tensor& grad, const Tensor& scores, const Tensor& bins, double temperature) {
  const PlacedBins placed = table_of(scores, bins, temperature, "annealed_mean_backward");
  const Tensor logits = readable(scores), grad_ab = torch::stable::contiguous(grad);
  STD_TORCH_CHECK(grad.dim() == 4 && grad.size(0) == logits.size(0) && grad.size(1) == 2 &&
                      grad.size(2) == logits.size(2) && grad.size(3) == logits.size(3) &&
                      grad.scalar_type() == compute_type(logits) && grad.is_cuda() == logits.is_cuda(),
                  "annealed_mean_backward: expected a gradient of the shape and dtype of the mean");
  const Tensor grad_logits = fresh_like(logits);
  if (logits.numel() == 0) return grad_logits;
  const core::Planes layout = planes_of(logits);
  for_storage_type(logits, "annealed_mean_backward", [&](auto* type) {
    using T = Pointee<decltype(type)>;
    using Real = core::Compute<T>;
    if constexpr (kWithCuda) {
      if (logits.is_cuda())
        return on_cuda(logits, "annealed_mean_backward", [&](void* stream) {
          return core::annealed_mean_backward_cuda(input<Real>(grad_ab), input<T>(logits), layout, placed.table.bins,
                                                   temperature, output<T>(grad_logits), stream);
        });
    }
    on_cpu(core::tile_count(layout), kGrain, [&](int64_t first, int64_t last) {
      core::annealed_mean_backward_cpu(input<Real>(grad_ab), input<T>(logits), layout, placed.table.bins, temperature,
                                       output<T>(grad_logits), first, last);
    });
  });
  return grad_logits;
}

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(nirtrans, CPU, m) {
  m.impl("annealed_mean", TORCH_BOX(&annealed_mean));
  m.impl("annealed_mean_backward", TORCH_BOX(&annealed_mean_backward));
}

#if defined(NIRTRANS_CUDA_ARCHS)
STABLE_TORCH_LIBRARY_IMPL(nirtrans, CUDA, m) {
  m.impl("annealed_mean", TORCH_BOX(&annealed_mean));
  m.impl("annealed_mean_backward", TORCH_BOX(&annealed_mean_backward));
}
#endif

}  // namespace nirtrans::binding
