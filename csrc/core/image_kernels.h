#pragma once

#include "image.h"
#include "kernels.h"

// Entry points of the image kernels. Level is uint8_t or uint16_t; images lie as [images, plane, 3], interleaved.
namespace nirtrans::core {

// lab: [images, 3, plane]. T is Half, BFloat16 or float.
template <typename Level, typename T>
void image_to_lab_cpu(const Level* image, T* lab, const LabNorm& norm, const Pixels& pixels, int64_t first,
                      int64_t last);
template <typename Level, typename T>
int image_to_lab_cuda(const Level* image, T* lab, const LabNorm& norm, const Pixels& pixels, void* stream);

// `pixels` describes lab. T is Half, BFloat16, float or double.
template <typename Level, typename T>
void lab_to_image_cpu(const T* lab, Level* image, const LabNorm& norm, const Pixels& pixels, int64_t first,
                      int64_t last);
template <typename Level, typename T>
int lab_to_image_cuda(const T* lab, Level* image, const LabNorm& norm, const Pixels& pixels, void* stream);

}  // namespace nirtrans::core
