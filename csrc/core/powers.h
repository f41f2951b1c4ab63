#pragma once

#include <cmath>

#include "half.h"

// The powers of the colour conversions. float: without a branch, a division or a call, so that loops vectorise;
// double: libm, untuned, for references and numerical gradients. Arguments: positive, normal, finite or NaN. Any other
// gives some value or NaN, which the callers drop: they select between branches and never multiply by zero.
namespace nirtrans::core {

// A float's bits are roughly its logarithm: magic - bits / root are the bits of x^(-1/root), within 3 %.
NIRTRANS_HD float rough_inverse_root(float x, float magic, float one_over_root) {
  const float logarithm = static_cast<float>(static_cast<int32_t>(bits_of(x)));
  return float_of(static_cast<uint32_t>(static_cast<int32_t>(magic - logarithm * one_over_root)));
}

NIRTRANS_HD float polynomial(float e, float c0, float c1, float c2, float c3, float c4, float c5) {
  return c0 + e * (c1 + e * (c2 + e * (c3 + e * (c4 + e * c5))));
}

// Magic numbers and coefficients: scripts/fit_powers.py, which explains them. The relative errors are those of the fit.

template <typename Real>
struct CubeRoot {
  Real value;           // t^(1/3)
  Real inverse_square;  // t^(-2/3)
};

NIRTRANS_HD CubeRoot<float> cube_root(float t) {
  const float root = rough_inverse_root(t, 0x54a1f580p0f, 1.0f / 3.0f);
  const float square = root * root;
  const float value = t * square;
  const float e = 1.0f - value * root;
  const float correction =
      e * polynomial(e, 0.666666680f, 0.555555569f, 0.493803663f, 0.452652013f, 0.428496395f, 0.404809728f);
  return {value + value * correction, square + square * correction};  // 1.4e-9
}

NIRTRANS_HD CubeRoot<double> cube_root(double t) {
  const double value = cbrt(t);
  return {value, 1.0 / (value * value)};
}

template <typename Real>
struct Power24 {
  Real value;     // x^2.4
  Real one_less;  // x^1.4
};

// x^2.4 = x^2 x^(2/5), and x^(2/5) = x x^(-3/5).
NIRTRANS_HD Power24<float> power_2_4(float x) {
  const float root = rough_inverse_root(x, 0x4c2b4980p0f, 1.0f / 5.0f);
  const float square = root * root;
  const float rough = x * (square * root);
  const float e = 1.0f - rough * square;
  const float correction =
      e * polynomial(e, 0.600000133f, 0.480000131f, 0.415899629f, 0.374303551f, 0.355577573f, 0.332105260f);
  const float two_fifths = rough + rough * correction;  // 2.2e-8
  return {x * x * two_fifths, x * two_fifths};
}

NIRTRANS_HD Power24<double> power_2_4(double x) { return {pow(x, 2.4), pow(x, 1.4)}; }

template <typename Real>
struct Power5Over12 {
  Real value;     // x^(5/12) = x^(1/2.4)
  Real one_less;  // x^(-7/12)
};

// x^(5/12) is the square root of x^(5/6) = x * x^(-1/6).
NIRTRANS_HD Power5Over12<float> power_5_over_12(float x) {
  const float root = rough_inverse_root(x, 0x4a0dbe80p0f, 1.0f / 6.0f);
  const float square = root * root;
  const float rough = x * root;
  const float e = 1.0f - rough * (square * square * root);
  const float correction =
      e * polynomial(e, 0.166666703f, 0.097222254f, 0.070195496f, 0.055569387f, 0.048040772f, 0.041425670f);
  const float value = sqrtf(rough + rough * correction);  // 7.4e-9 before the root
  const float inverse_sixth = root + root * correction;
  const float inverse_third = inverse_sixth * inverse_sixth;
  return {value, value * (inverse_third * inverse_third * inverse_third)};
}

NIRTRANS_HD Power5Over12<double> power_5_over_12(double x) {
  const double value = pow(x, 5.0 / 12.0);
  return {value, value / x};
}

}  // namespace nirtrans::core
