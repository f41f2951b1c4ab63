#pragma once

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include <vector>

#include "checks.h"

// Memory for results.
namespace nirtrans::binding {

inline int64_t bytes_of(const Tensor& tensor) {
  switch (tensor.scalar_type()) {
    case ScalarType::Byte: return tensor.numel();
    case ScalarType::Half:
    case ScalarType::BFloat16:
    case ScalarType::UInt16: return 2 * tensor.numel();
    case ScalarType::Float: return 4 * tensor.numel();
    default: return 8 * tensor.numel();
  }
}

// The first touch of fresh memory costs a fault per page: a gradient of 41 MB spends twice as long in them as in being
// computed. Ask for pages of 2 MiB, which the system may refuse.
inline const Tensor& with_large_pages(const Tensor& fresh) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  constexpr uintptr_t kLarge = uintptr_t{1} << 21;
  if (fresh.is_cuda() || fresh.numel() == 0) return fresh;
  const auto start = reinterpret_cast<uintptr_t>(fresh.const_data_ptr());
  const uintptr_t first = (start + kLarge - 1) / kLarge * kLarge;
  const uintptr_t last = (start + static_cast<uintptr_t>(bytes_of(fresh))) / kLarge * kLarge;
  if (first < last) madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);
#endif
  return fresh;
}

inline Tensor fresh_like(const Tensor& tensor) { return with_large_pages(torch::stable::empty_like(tensor)); }

inline Tensor fresh(const Tensor& like, const std::vector<int64_t>& shape, ScalarType dtype) {
  return with_large_pages(torch::stable::new_empty(like, shape, dtype));
}

}  // namespace nirtrans::binding
