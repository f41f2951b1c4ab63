#pragma once

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "checks.h"

namespace nirtrans::binding {

// The first touch of fresh memory costs a fault per page: a gradient of 41 MB spends twice as long in them as in being
// computed. Ask for pages of 2 MiB, which the system may refuse.
inline void prefer_large_pages([[maybe_unused]] const Tensor& fresh) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  if (fresh.is_cuda()) return;
  constexpr uintptr_t kLarge = uintptr_t{1} << 21;
  const int64_t element = fresh.scalar_type() == ScalarType::Double  ? 8
                          : fresh.scalar_type() == ScalarType::Float ? 4
                                                                     : 2;
  const auto start = reinterpret_cast<uintptr_t>(fresh.const_data_ptr());
  const uintptr_t first = (start + kLarge - 1) / kLarge * kLarge,
                  last = (start + fresh.numel() * element) / kLarge * kLarge;
  if (first < last) madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);
#endif
}

}  // namespace nirtrans::binding
