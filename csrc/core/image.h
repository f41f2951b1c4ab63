#pragma once

#include "lab.h"

// Between integer images and normalised Lab.
namespace nirtrans::core {

// Ln = (L - offset) / l_scale, an = a / ab_scale, bn = b / ab_scale.
struct LabNorm {
  double offset, l_scale, ab_scale;
};

template <typename Level>
constexpr double kTop = sizeof(Level) == 1 ? 255.0 : 65535.0;

template <typename Real>
NIRTRANS_HD Color<Real> normalized(Color<Real> lab, const LabNorm& norm) {
  const Real l = Real(1 / norm.l_scale), ab = Real(1 / norm.ab_scale);
  return {(lab.c0 - Real(norm.offset)) * l, lab.c1 * ab, lab.c2 * ab};
}

template <typename Real>
NIRTRANS_HD Color<Real> denormalized(Color<Real> lab, const LabNorm& norm) {
  return {lab.c0 * Real(norm.l_scale) + Real(norm.offset), lab.c1 * Real(norm.ab_scale), lab.c2 * Real(norm.ab_scale)};
}

// The level nearest to c in [0, 1], ties to even; NaN becomes 0.
template <typename Level>
NIRTRANS_HD Level level_of(float c) {
  const float level = (c >= 0.0f ? c : 0.0f) * static_cast<float>(kTop<Level>);
  return static_cast<Level>(static_cast<int32_t>(rintf(level)));
}
template <typename Level>
NIRTRANS_HD Level level_of(double c) {
  const double level = (c >= 0.0 ? c : 0.0) * kTop<Level>;
  return static_cast<Level>(static_cast<int32_t>(rint(level)));
}

}  // namespace nirtrans::core
