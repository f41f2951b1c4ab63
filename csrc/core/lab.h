#pragma once

#include "srgb.h"

// One pixel between sRGB and CIE 1976 L*a*b*, forward and as vector-Jacobian product.
//
// L = e(Y), a = 500 (f(X) - f(Y)), b = 200 (f(Y) - f(Z)) with CIE's f and e(t) = 116 f(t) - 16, the lightness that t
// alone would have. e has a branch of its own, kappa t, so that black is exactly zero.
namespace nirtrans::core {

template <typename Real>
struct Color {
  Real c0, c1, c2;  // r, g, b or L, a, b or X, Y, Z over white
};

struct Matrix {
  double at[3][3];
};

// sRGB primaries and D65 white with six decimals, each row divided by its sum (the white point).
constexpr Matrix xyz_from_rgb() {
  Matrix m = {{{0.412453, 0.357580, 0.180423}, {0.212671, 0.715160, 0.072169}, {0.019334, 0.119193, 0.950227}}};
  for (auto& row : m.at) {
    const double white = row[0] + row[1] + row[2];
    for (double& value : row) value /= white;
  }
  return m;
}

constexpr double minor_of(const Matrix& m, int row, int column) {
  const int r0 = (row + 1) % 3, r1 = (row + 2) % 3, c0 = (column + 1) % 3, c1 = (column + 2) % 3;
  return m.at[r0][c0] * m.at[r1][c1] - m.at[r0][c1] * m.at[r1][c0];
}

constexpr Matrix inverse(const Matrix& m) {
  const double determinant =
      m.at[0][0] * minor_of(m, 0, 0) + m.at[0][1] * minor_of(m, 0, 1) + m.at[0][2] * minor_of(m, 0, 2);
  Matrix result{};
  for (int row = 0; row < 3; ++row)
    for (int column = 0; column < 3; ++column) result.at[row][column] = minor_of(m, column, row) / determinant;
  return result;
}

inline constexpr Matrix kXyzFromRgb = xyz_from_rgb();
inline constexpr Matrix kRgbFromXyz = inverse(kXyzFromRgb);
inline constexpr double kCieEps = 216.0 / 24389.0;
inline constexpr double kCieKappa = 24389.0 / 27.0;  // kappa eps = 8

template <typename Real>
NIRTRANS_HD Color<Real> transposed_product(const Matrix& m, Color<Real> v) {
  return {Real(m.at[0][0]) * v.c0 + Real(m.at[1][0]) * v.c1 + Real(m.at[2][0]) * v.c2,
          Real(m.at[0][1]) * v.c0 + Real(m.at[1][1]) * v.c1 + Real(m.at[2][1]) * v.c2,
          Real(m.at[0][2]) * v.c0 + Real(m.at[1][2]) * v.c1 + Real(m.at[2][2]) * v.c2};
}

template <typename Real>
NIRTRANS_HD Curve<Real> cie_f(Real t) {
  const bool low = t <= Real(kCieEps);
  const CubeRoot<Real> root = cube_root(t);
  // df/dt = 1/3 t^(-2/3)
  return {low ? Real(kCieKappa / 116.0) * t + Real(16.0 / 116.0) : root.value,
          low ? Real(kCieKappa / 116.0) : Real(1.0 / 3.0) * root.inverse_square};
}

template <typename Real>
NIRTRANS_HD Real lightness(Real t, Real f) {
  return t <= Real(kCieEps) ? Real(kCieKappa) * t : Real(116) * f - Real(16);
}

template <typename Real>
NIRTRANS_HD Curve<Real> cie_f_inverse(Real f) {
  const bool low = f <= Real(6.0 / 29.0);
  // dt/df = 3 f^2
  return {low ? (f - Real(16.0 / 116.0)) * Real(116.0 / kCieKappa) : f * f * f,
          low ? Real(116.0 / kCieKappa) : Real(3) * (f * f)};
}

// Rows sum to one: as differences to blue, equal channels give bit-equal X, Y, Z and so a = b = 0.
template <typename Real>
NIRTRANS_HD Color<Real> linear_rgb_to_xyz(Color<Real> lin) {
  constexpr Matrix n = kXyzFromRgb;
  const Real r = lin.c0 - lin.c2, g = lin.c1 - lin.c2;
  return {lin.c2 + (Real(n.at[0][0]) * r + Real(n.at[0][1]) * g),
          lin.c2 + (Real(n.at[1][0]) * r + Real(n.at[1][1]) * g),
          lin.c2 + (Real(n.at[2][0]) * r + Real(n.at[2][1]) * g)};
}

template <typename Real>
NIRTRANS_HD Color<Real> linear_rgb_to_lab(Color<Real> lin) {
  const Color<Real> xyz = linear_rgb_to_xyz(lin);
  const Real fx = cie_f(xyz.c0).value, fy = cie_f(xyz.c1).value, fz = cie_f(xyz.c2).value;
  return {lightness(xyz.c1, fy), Real(500) * (fx - fy), Real(200) * (fy - fz)};
}

template <typename Real>
NIRTRANS_HD Color<Real> rgb_to_lab(Color<Real> rgb) {
  return linear_rgb_to_lab<Real>(
      {srgb_to_linear(rgb.c0).value, srgb_to_linear(rgb.c1).value, srgb_to_linear(rgb.c2).value});
}

template <typename Real>
NIRTRANS_HD Color<Real> rgb_to_lab_backward(Color<Real> grad_lab, Color<Real> rgb) {
  const Curve<Real> r = srgb_to_linear(rgb.c0), g = srgb_to_linear(rgb.c1), b = srgb_to_linear(rgb.c2);
  const Color<Real> xyz = linear_rgb_to_xyz<Real>({r.value, g.value, b.value});
  const Real grad_l = Real(116) * grad_lab.c0, grad_a = Real(500) * grad_lab.c1, grad_b = Real(200) * grad_lab.c2;
  const Color<Real> grad_xyz = {grad_a * cie_f(xyz.c0).slope, (grad_l - grad_a + grad_b) * cie_f(xyz.c1).slope,
                                -grad_b * cie_f(xyz.c2).slope};
  constexpr Matrix n = kXyzFromRgb;
  const Color<Real> grad_lin = transposed_product(n, grad_xyz);
  return {grad_lin.c0 * r.slope, grad_lin.c1 * g.slope, grad_lin.c2 * b.slope};
}

// The interval to which sRGB is clipped; infinite ends clip nothing.
template <typename Real>
struct Range {
  Real low, high;
};

// NaN stays NaN.
template <typename Real>
NIRTRANS_HD Real clamped(Real x, Range<Real> range) {
  x = x < range.low ? range.low : x;
  return x > range.high ? range.high : x;
}

template <typename Real>
NIRTRANS_HD Range<Real> clip_range(bool clip) {
  return {clip ? Real(0) : -Real(HUGE_VAL), clip ? Real(1) : Real(HUGE_VAL)};
}

// f(X) and f(Z) start from f(Y): its rounding is then common to the three and largely cancels in dark channels.
template <typename Real>
NIRTRANS_HD Color<Real> lab_to_cie_f(Color<Real> lab) {
  const Real fy = lab.c0 * Real(1.0 / 116.0) + Real(16.0 / 116.0);
  return {fy + lab.c1 * Real(1.0 / 500.0), fy, fy - lab.c2 * Real(1.0 / 200.0)};
}

template <typename Real>
NIRTRANS_HD Color<Real> xyz_to_linear_rgb(Color<Real> xyz) {
  constexpr Matrix m = kRgbFromXyz;
  return {Real(m.at[0][0]) * xyz.c0 + Real(m.at[0][1]) * xyz.c1 + Real(m.at[0][2]) * xyz.c2,
          Real(m.at[1][0]) * xyz.c0 + Real(m.at[1][1]) * xyz.c1 + Real(m.at[1][2]) * xyz.c2,
          Real(m.at[2][0]) * xyz.c0 + Real(m.at[2][1]) * xyz.c1 + Real(m.at[2][2]) * xyz.c2};
}

template <typename Real>
NIRTRANS_HD Color<Real> lab_to_rgb(Color<Real> lab, Range<Real> range) {
  const Color<Real> f = lab_to_cie_f(lab);
  const Color<Real> lin =
      xyz_to_linear_rgb<Real>({cie_f_inverse(f.c0).value, cie_f_inverse(f.c1).value, cie_f_inverse(f.c2).value});
  return {clamped(linear_to_srgb(lin.c0).value, range), clamped(linear_to_srgb(lin.c1).value, range),
          clamped(linear_to_srgb(lin.c2).value, range)};
}

// The gradient passes where the value is within the range, ends included; a clipped channel receives none.
template <typename Real>
NIRTRANS_HD Real through_clip(Real grad, Curve<Real> c, Range<Real> range) {
  return c.value < range.low || c.value > range.high ? Real(0) : grad * c.slope;
}

template <typename Real>
NIRTRANS_HD Color<Real> lab_to_rgb_backward(Color<Real> grad_rgb, Color<Real> lab, Range<Real> range) {
  const Color<Real> f = lab_to_cie_f(lab);
  const Curve<Real> x = cie_f_inverse(f.c0), y = cie_f_inverse(f.c1), z = cie_f_inverse(f.c2);
  const Color<Real> lin = xyz_to_linear_rgb<Real>({x.value, y.value, z.value});
  const Color<Real> grad_lin = {through_clip(grad_rgb.c0, linear_to_srgb(lin.c0), range),
                                through_clip(grad_rgb.c1, linear_to_srgb(lin.c1), range),
                                through_clip(grad_rgb.c2, linear_to_srgb(lin.c2), range)};
  constexpr Matrix m = kRgbFromXyz;
  const Color<Real> grad_xyz = transposed_product(m, grad_lin);
  const Real grad_x = grad_xyz.c0 * x.slope, grad_y = grad_xyz.c1 * y.slope, grad_z = grad_xyz.c2 * z.slope;
  return {Real(1.0 / 116.0) * (grad_x + grad_y + grad_z), Real(1.0 / 500.0) * grad_x, Real(-1.0 / 200.0) * grad_z};
}

}  // namespace nirtrans::core
