#pragma once

#include "lab.h"

// One pixel between integer sRGB levels (8 or 16 bits) and normalised Lab: Ln = (L - offset) / scale, an = a /
// ab_scale.
namespace nirtrans::core {

struct LabNorm {
  double l_offset, l_scale, ab_scale;
};

template <typename Level>
inline constexpr double kTopLevel = static_cast<double>(static_cast<Level>(-1));

// The power costs less than a table: loops over it vectorise.
template <typename Level>
NIRTRANS_HD float linear_of(Level level) {
  return srgb_to_linear(static_cast<float>(level) * float(1 / kTopLevel<Level>)).value;
}

NIRTRANS_HD Color<float> linear_rgb_to_normalized_lab(Color<float> lin, const LabNorm& norm) {
  const Color<float> lab = linear_rgb_to_lab(lin);
  const float l_factor = static_cast<float>(1 / norm.l_scale), ab_factor = static_cast<float>(1 / norm.ab_scale);
  return {(lab.c0 - static_cast<float>(norm.l_offset)) * l_factor, lab.c1 * ab_factor, lab.c2 * ab_factor};
}

// A channel in [0, 1] or NaN as a whole level, ties to even; NaN becomes 0.
template <typename Level>
NIRTRANS_HD float level_of(float c) {
  return c >= 0 ? rintf(c * float(kTopLevel<Level>)) : 0.0f;
}
template <typename Level>
NIRTRANS_HD double level_of(double c) {
  return c >= 0 ? rint(c * kTopLevel<Level>) : 0.0;
}

// Levels, still as Real.
template <typename Level, typename Real>
NIRTRANS_HD Color<Real> normalized_lab_to_levels(Color<Real> lab, const LabNorm& norm) {
  const Real l_scale = Real(norm.l_scale), ab_scale = Real(norm.ab_scale);
  const Color<Real> rgb = lab_to_rgb<Real>(
      {lab.c0 * l_scale + Real(norm.l_offset), lab.c1 * ab_scale, lab.c2 * ab_scale}, clip_range<Real>(true));
  return {level_of<Level>(rgb.c0), level_of<Level>(rgb.c1), level_of<Level>(rgb.c2)};
}

}  // namespace nirtrans::core
