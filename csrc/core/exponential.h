#pragma once

#include <cmath>

#include "half.h"

// e^x for x <= 0, as softmax and Gaussian weights need it.
namespace nirtrans::core {

// Relative error below 1.2e-7. Below -87.3, where the result would be subnormal, it is 0; NaN stays NaN. No branch and
// no call, so that loops vectorise.
NIRTRANS_HD float exp_of_negative(float x) {
#if defined(__CUDA_ARCH__)
  return expf(x);
#else
  constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: adding it leaves the nearest integer in the low bits
  const float shifted = x * 1.44269504f + kRound;
  const float n = shifted - kRound;
  const float r = (x - n * 0.693145752f) - n * 1.42860677e-6f;  // ln 2 in two parts; |r| <= 0.347
  // Taylor to r^7: the next term is below 5.3e-9.
  const float tail = 1.0f / 6 + r * (1.0f / 24 + r * (1.0f / 120 + r * (1.0f / 720 + r * (1.0f / 5040))));
  const float mantissa = 1.0f + r + r * r * (0.5f + r * tail);
  const float scaled = mantissa * float_of((bits_of(shifted) << 23) + 0x3f800000u);
  return x < -87.3f ? 0.0f : scaled;
#endif
}

NIRTRANS_HD double exp_of_negative(double x) { return exp(x); }

}  // namespace nirtrans::core
