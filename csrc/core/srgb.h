#pragma once

#include "powers.h"

// The transfer curve of sRGB, IEC 61966-2-1. Non-linear and linear values are nominally in [0, 1].
namespace nirtrans::core {

// A function of one variable with its derivative; what is not used costs nothing once inlined.
template <typename Real>
struct Curve {
  Real value;
  Real slope;
};

template <typename Real>
NIRTRANS_HD Curve<Real> srgb_to_linear(Real c) {
  constexpr Real kThreshold = Real(0.04045);
  const Real x = c * Real(1 / 1.055) + Real(0.055 / 1.055);
  const Power24<Real> power = power_2_4(x);
  const bool low = c <= kThreshold;
  // d lin/dc = 2.4/1.055 ((c + 0.055)/1.055)^1.4
  return {low ? c * Real(1 / 12.92) : power.value, low ? Real(1 / 12.92) : Real(2.4 / 1.055) * power.one_less};
}

template <typename Real>
NIRTRANS_HD Curve<Real> linear_to_srgb(Real lin) {
  constexpr Real kThreshold = Real(0.0031308);
  const Power5Over12<Real> power = power_5_over_12(lin);
  const bool low = lin <= kThreshold;
  // dc/d lin = 1.055/2.4 lin^(1/2.4 - 1)
  return {low ? lin * Real(12.92) : Real(1.055) * power.value - Real(0.055),
          low ? Real(12.92) : Real(1.055 / 2.4) * power.one_less};
}

}  // namespace nirtrans::core
