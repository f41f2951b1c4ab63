#pragma once

#include "image.h"
#include "kernels.h"

// Entry points between images [images, plane, 3] of uint8_t or uint16_t and normalised Lab; T is Half, BFloat16, float,
// and double for lab_to_image. Blocks are those of `pixels`, which describes the Lab tensor.
namespace nirtrans::core {

template <typename Level, typename T>
void image_to_lab_cpu(const Level* image, T* lab, const LabNorm& norm, const Pixels& pixels, int64_t first,
                      int64_t last);
template <typename Level, typename T>
void lab_to_image_cpu(const T* lab, Level* image, const LabNorm& norm, const Pixels& pixels, int64_t first,
                      int64_t last);
template <typename Level, typename T>
int image_to_lab_cuda(const Level* image, T* lab, const LabNorm& norm, const Pixels& pixels, void* stream);
template <typename Level, typename T>
int lab_to_image_cuda(const T* lab, Level* image, const LabNorm& norm, const Pixels& pixels, void* stream);

}  // namespace nirtrans::core
