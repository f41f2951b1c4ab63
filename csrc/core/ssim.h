#pragma once

#include "half.h"

// SSIM of one window, its derivatives, and the weights of the Gaussian window at the borders of an image.
namespace nirtrans::core {

constexpr int kLargestWindow = 33;

enum class Padding : int32_t { valid, reflect, zero };

struct SsimSettings {
  int32_t window;               // odd
  double taps[kLargestWindow];  // of the window in one direction, with sum 1
  double c1, c2;                // (0.01 R)^2 and (0.03 R)^2
  Padding padding;
  bool contrast;             // only the contrast-structure factor cs
  double weight, l1_weight;  // of the sums of s and of |x - y| in the result and the gradient
};

// Points of the map are named by the pixel at their centre: [low, high) of an axis of `length` pixels.
struct Axis {
  int64_t length, low, high;
};

inline Axis axis_of(int64_t length, const SsimSettings& settings) {
  const int64_t margin = settings.padding == Padding::valid ? settings.window / 2 : 0;
  return {length, margin, length - margin};
}

// The weight that pixel i has in the window around c: the tap, and with reflection those of the mirror images of i.
// Pixels beyond the border weigh nothing, which is zero padding.
template <typename Real>
NIRTRANS_HD Real axis_weight(const Real* taps, int32_t radius, int64_t length, Padding padding, int64_t c, int64_t i) {
  if (i < 0 || i >= length) return Real(0);
  const int64_t direct = i - c, below = i + c, above = 2 * (length - 1) - i - c;
  Real weight = direct >= -radius && direct <= radius ? taps[direct + radius] : Real(0);
  if (padding != Padding::reflect) return weight;
  if (i >= 1 && below <= radius) weight += taps[below + radius];
  if (i <= length - 2 && above <= radius) weight += taps[above + radius];
  return weight;
}

template <typename Real>
struct SsimPoint {
  Real value;
  Real d_mu_x, d_mu_y, d_product, d_square;  // derivatives
};

// From the filtered x, y, x y and x^2 + y^2. Covariance and variances are clamped to what exact arithmetic allows, so
// that the value lies in [-1, 1].
template <typename Real>
NIRTRANS_HD SsimPoint<Real> ssim_point(Real mu_x, Real mu_y, Real product, Real square, Real c1, Real c2,
                                       bool contrast) {
  const Real means = mu_x * mu_x + mu_y * mu_y, cross = mu_x * mu_y;
  Real variance = square - means;
  variance = variance < Real(0) ? Real(0) : variance;
  Real covariance = Real(2) * (product - cross);
  covariance = covariance > variance ? variance : covariance;
  covariance = covariance < -variance ? -variance : covariance;
  const Real a2 = covariance + c2, b2 = variance + c2;
  const Real a1 = contrast ? Real(1) : Real(2) * cross + c1, b1 = contrast ? Real(1) : means + c1;
  const Real inverse = Real(1) / (b1 * b2);
  Real value = a1 * a2 * inverse;
  value = value > Real(1) ? Real(1) : value;
  value = value < Real(-1) ? Real(-1) : value;
  // Without the luminance factor a1 / b1 only the part of the variances remains in the derivatives by the means.
  const Real means_in_a = contrast ? Real(-1) : a2 - a1, means_in_b = contrast ? Real(-1) : b2 - b1;
  return {value, Real(2) * inverse * (mu_y * means_in_a - mu_x * value * means_in_b),
          Real(2) * inverse * (mu_x * means_in_a - mu_y * value * means_in_b), Real(2) * a1 * inverse,
          -value * b1 * inverse};
}

}  // namespace nirtrans::core
