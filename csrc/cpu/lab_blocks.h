#pragma once

#include "../core/lab.h"
#include "blocks.h"

// The conversions of one block; counts are padded.
namespace nirtrans::core {

void rgb_to_lab_block(Rows<const float> in, Rows<float> out, int64_t count);
void rgb_to_lab_block(Rows<const double> in, Rows<double> out, int64_t count);
void lab_to_rgb_block(Rows<const float> in, Rows<float> out, Range<float> range, int64_t count);
void lab_to_rgb_block(Rows<const double> in, Rows<double> out, Range<double> range, int64_t count);

}  // namespace nirtrans::core
