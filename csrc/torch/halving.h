#pragma once

#include "../core/halving.h"
#include "checks.h"

namespace nirtrans::binding {

// `image` (N, C, H, W), which lies as `shape` says, at half its size, in compute precision.
Tensor halved(const Tensor& image, const core::SsimShape& shape);

}  // namespace nirtrans::binding
