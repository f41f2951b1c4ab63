// All binary16 values, and floats around every rounding boundary, against the compiler's own _Float16.
#include <cmath>
#include <cstdio>
#include <initializer_list>

#include "core/half.h"

using namespace nirtrans::core;

namespace {

uint16_t compiler_bits(float value) {
  const _Float16 half = static_cast<_Float16>(value);
  uint16_t bits;
  memcpy(&bits, &half, sizeof(bits));
  return bits;
}

bool narrows_like_the_compiler(float value) {
  Half ours;
  narrow(value, ours);
  if (std::isnan(value)) return (ours.bits & 0x7fff) > 0x7c00;
  return ours.bits == compiler_bits(value);
}

bool bfloat16_rounds_to_even(float value) {
  BFloat16 stored;
  narrow(value, stored);
  if (std::isnan(value)) return std::isnan(widen(stored));
  // No neighbour is nearer, and a tie takes the even one.
  const float below = float_of(bits_of(value) & 0xffff0000u);
  const float above = float_of((bits_of(value) & 0xffff0000u) + 0x10000u);
  const double down = std::fabs(double(value) - below), up = std::fabs(double(above) - value);
  if (std::isinf(above) || std::isinf(value)) return true;
  const float expected = down < up || (down == up && (bits_of(below) & 0x10000u) == 0) ? below : above;
  return widen(stored) == expected;
}

}  // namespace

int main() {
  for (uint32_t bits = 0; bits < 0x10000u; ++bits) {
    const Half half{static_cast<uint16_t>(bits)};
    const float wide = widen(half);
    _Float16 reference;
    memcpy(&reference, &half.bits, sizeof(reference));
    const float expected = static_cast<float>(reference);
    if (!(wide == expected || (std::isnan(wide) && std::isnan(expected))))
      return std::printf("widen %04x: %g, expected %g\n", bits, wide, expected), 1;
    // The value itself, the tie to its neighbour, and one step on either side of the tie.
    for (const uint32_t step : {0u, 0x0fffu, 0x1000u, 0x1001u}) {
      const float value = float_of(bits_of(wide) + step);
      if (!narrows_like_the_compiler(value)) return std::printf("narrow %.9g to binary16\n", value), 1;
    }
    for (const uint32_t step : {0u, 0x7fffu, 0x8000u, 0x8001u}) {
      const float value = float_of((bits << 16) + step);
      if (!bfloat16_rounds_to_even(value)) return std::printf("narrow %.9g to bfloat16\n", value), 1;
    }
  }
  for (const float value : {65504.0f, 65519.996f, 65520.0f, 65536.0f, 1e30f, INFINITY, NAN, 2.98e-8f, 2.99e-8f, 6e-8f})
    if (!narrows_like_the_compiler(value) || !narrows_like_the_compiler(-value))
      return std::printf("narrow %.9g to binary16\n", value), 1;
  return 0;
}
