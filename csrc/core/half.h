#pragma once

#include <cstdint>
#include <cstring>

#include "host_device.h"

// Storage types of 16 bits and their conversions, in integer arithmetic so that every compiler vectorises them.
namespace nirtrans::core {

struct Half {
  uint16_t bits;  // IEEE binary16
};

struct BFloat16 {
  uint16_t bits;  // the upper half of a binary32
};

// The type in which a storage type computes.
template <typename T>
struct ComputeType {
  using Type = float;
};
template <>
struct ComputeType<double> {
  using Type = double;
};
template <typename T>
using Compute = typename ComputeType<T>::Type;

NIRTRANS_HD uint32_t bits_of(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof(bits));
  return bits;
}

NIRTRANS_HD float float_of(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof(value));
  return value;
}

NIRTRANS_HD float widen(float value) { return value; }
NIRTRANS_HD double widen(double value) { return value; }
NIRTRANS_HD float widen(BFloat16 value) { return float_of(uint32_t{value.bits} << 16); }

NIRTRANS_HD float widen(Half value) {
#if defined(__CUDA_ARCH__)
  float wide;
  asm("cvt.f32.f16 %0, %1;" : "=f"(wide) : "h"(value.bits));
  return wide;
#else
  const uint32_t magnitude = (uint32_t{value.bits} & 0x7fffu) << 13;
  // Exponent biases: 15 in binary16, 127 in binary32; all ones (infinity, NaN) stays all ones.
  const uint32_t normal = magnitude + (magnitude >= (31u << 23) ? 224u << 23 : 112u << 23);
  const uint32_t subnormal = bits_of(float_of(magnitude + (113u << 23)) - float_of(113u << 23));
  const uint32_t sign = (uint32_t{value.bits} & 0x8000u) << 16;
  return float_of((magnitude < (1u << 23) ? subnormal : normal) | sign);
#endif
}

NIRTRANS_HD void narrow(float value, float& stored) { stored = value; }
NIRTRANS_HD void narrow(double value, double& stored) { stored = value; }

// Round to nearest, ties to even; NaN becomes the quiet NaN.
NIRTRANS_HD void narrow(float value, BFloat16& stored) {
  const uint32_t bits = bits_of(value);
  const uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  stored.bits = static_cast<uint16_t>((bits & 0x7fffffffu) > 0x7f800000u ? 0x7fc0u : rounded);
}

NIRTRANS_HD void narrow(float value, Half& stored) {
#if defined(__CUDA_ARCH__)
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(stored.bits) : "f"(value));
#else
  const uint32_t bits = bits_of(value);
  const uint32_t magnitude = bits & 0x7fffffffu;
  const uint32_t normal = (magnitude - (112u << 23) + 0xfffu + ((magnitude >> 13) & 1u)) >> 13;
  // The last bit of 0.5f weighs as much as that of a subnormal binary16: the addition rounds.
  const uint32_t subnormal = bits_of(float_of(magnitude) + 0.5f) - bits_of(0.5f);
  const uint32_t special = magnitude > 0x7f800000u ? 0x7e00u : 0x7c00u;
  const uint32_t finite = magnitude < (113u << 23) ? subnormal : normal;
  stored.bits = static_cast<uint16_t>((magnitude < (143u << 23) ? finite : special) | ((bits >> 16) & 0x8000u));
#endif
}

}  // namespace nirtrans::core
