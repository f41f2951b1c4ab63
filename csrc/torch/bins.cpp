#include <torch/csrc/stable/library.h>

#include <tuple>

#include "bin_tables.h"
#include "pages.h"
#include "stream.h"

// Allocation and dispatch of encode_ab.
namespace nirtrans::binding {
namespace {

// Tiles that are worth a thread of their own.
constexpr int64_t kGrain = 8;

std::tuple<Tensor, Tensor> encode_ab(const Tensor& colors, const Tensor& bins, int64_t neighbors, double sigma) {
  STD_TORCH_CHECK(colors.dim() == 4 && colors.size(1) == 2, "encode_ab: expected a tensor (N, 2, H, W)");
  const PlacedBins placed = place_bins(bins, neighbors, colors);
  const Tensor ab = readable(colors);
  const ScalarType real = ab.scalar_type() == ScalarType::Double ? ScalarType::Double : ScalarType::Float;
  const std::vector<int64_t> shape = {ab.size(0), neighbors, ab.size(2), ab.size(3)};
  const Tensor index = fresh(ab, shape, ScalarType::Long);
  const Tensor weight = fresh(ab, shape, real);
  if (ab.numel() == 0) return {index, weight};
  const core::Planes planes = planes_of(ab);
  const core::Encoding encoding{static_cast<int32_t>(neighbors), 1 / (2 * sigma * sigma)};
  for_storage_type(ab, "encode_ab", [&](auto* type) {
    using T = Pointee<decltype(type)>;
    using Real = core::Compute<T>;
    if constexpr (kWithCuda) {
      if (ab.is_cuda())
        return on_cuda(ab, "encode_ab", [&](void* stream) {
          return core::encode_ab_cuda(input<T>(ab), planes, placed.table, encoding, output<int64_t>(index),
                                      output<Real>(weight), stream);
        });
    }
    on_cpu(core::tile_count(planes), kGrain, [&](int64_t first, int64_t last) {
      core::encode_ab_cpu(input<T>(ab), planes, placed.table, encoding, output<int64_t>(index), output<Real>(weight),
                          first, last);
    });
  });
  return {index, weight};
}

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(nirtrans, CPU, m) { m.impl("encode_ab", TORCH_BOX(&encode_ab)); }

#if defined(NIRTRANS_CUDA_ARCHS)
STABLE_TORCH_LIBRARY_IMPL(nirtrans, CUDA, m) { m.impl("encode_ab", TORCH_BOX(&encode_ab)); }
#endif

}  // namespace nirtrans::binding
