#include "faces.h"

PYBIND11_MODULE(_numpy_ops, m) {
  nirtrans::binding::define_annealed(m);
  nirtrans::binding::define_bins(m);
  nirtrans::binding::define_color(m);
  nirtrans::binding::define_image(m);
  nirtrans::binding::define_ssim(m);
}
