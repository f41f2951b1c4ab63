#include <torch/csrc/stable/library.h>

#include <optional>
#include <string>
#include <tuple>

#include "../core/cross_entropy_kernels.h"
#include "bin_tables.h"
#include "pages.h"
#include "stream.h"

// Allocation and dispatch of the cross-entropy with soft targets.
namespace nirtrans::binding {
namespace {

// Tiles that are worth a thread of their own.
constexpr int64_t kGrain = 4;

// What the loss and its derivative take alike.
struct Arguments {
  const Tensor logits, ab;
  const std::optional<Tensor> class_weight, skipped;
  const Tensor scale;
  const PlacedBins placed;
  const core::Encoding encoding;

  template <typename T>
  core::CrossEntropyInput<T> input_of() const {
    using Real = core::Compute<T>;
    return {input<T>(logits),
            planes_of(logits),
            input<Real>(ab),
            placed.table,
            encoding,
            class_weight ? input<Real>(*class_weight) : nullptr,
            skipped ? input<bool>(*skipped) : nullptr};
  }
};

void check(const Tensor& tensor, const Tensor& logits, int64_t size, ScalarType type, const char* name) {
  STD_TORCH_CHECK(tensor.scalar_type() == type && tensor.numel() == size && tensor.is_contiguous() &&
                      tensor.is_cuda() == logits.is_cuda() && tensor.get_device_index() == logits.get_device_index(),
                  "soft_cross_entropy: ", name, " has a wrong size, dtype, layout or device");
}

Arguments arguments_of(const Tensor& logits, const Tensor& ab, const Tensor& bins,
                       const std::optional<Tensor>& class_weight, const std::optional<Tensor>& skipped,
                       const Tensor& scale, int64_t neighbors, double sigma) {
  STD_TORCH_CHECK(logits.dim() == 4 && bins.dim() == 2 && logits.size(1) == bins.size(0),
                  "soft_cross_entropy: expected logits (N, Q, H, W) and bins (Q, 2)");
  const int64_t pixels = logits.size(0) * logits.size(2) * logits.size(3);
  const ScalarType real = compute_type(logits);
  check(ab, logits, 2 * pixels, real, "ab");
  check(scale, logits, 1, real, "scale");
  if (class_weight) check(*class_weight, logits, logits.size(1), real, "class_weight");
  if (skipped) check(*skipped, logits, logits.size(0), ScalarType::Bool, "skipped");
  return {readable(logits),
          ab,
          class_weight,
          skipped,
          scale,
          place_bins(bins, neighbors, logits),
          {static_cast<int32_t>(neighbors), 1 / (2 * sigma * sigma)}};
}

template <typename T>
void run(const Arguments& arguments, const core::CrossEntropyOutput<T>& out) {
  const core::CrossEntropyInput<T> in = arguments.input_of<T>();
  if constexpr (kWithCuda) {
    if (arguments.logits.is_cuda())
      return on_cuda(arguments.logits, "soft_cross_entropy",
                     [&](void* stream) { return core::cross_entropy_cuda(in, out, stream); });
  }
  on_cpu(core::tile_count(in.layout), kGrain,
         [&](int64_t first, int64_t last) { core::cross_entropy_cpu(in, out, first, last); });
}

template <typename T>
int64_t partial_sums(const Tensor& logits) {
  if constexpr (kWithCuda) {
    if (logits.is_cuda()) return core::cross_entropy_cuda_blocks<T>(planes_of(logits));
  }
  return core::tile_count(planes_of(logits));
}

// loss = scale * sum of the partial sums, in fixed order.
template <typename Real>
void finish(const Tensor& partial, const Tensor& scale, const Tensor& loss) {
  if constexpr (kWithCuda) {
    if (loss.is_cuda())
      return on_cuda(loss, "soft_cross_entropy", [&](void* stream) {
        return core::finish_loss_cuda(input<double>(partial), partial.numel(), input<Real>(scale), output<Real>(loss),
                                      stream);
      });
  }
  double sum = 0;
  for (int64_t i = 0; i < partial.numel(); ++i) sum += input<double>(partial)[i];
  *output<Real>(loss) = static_cast<Real>(sum * *input<Real>(scale));
}

std::tuple<Tensor, Tensor> soft_cross_entropy(const Tensor& scores, const Tensor& ab, const Tensor& bins,
                                              const std::optional<Tensor>& class_weight,
                                              const std::optional<Tensor>& skipped, const Tensor& scale,
                                              int64_t neighbors, double sigma, bool per_pixel, bool with_gradient) {
  const Arguments arguments = arguments_of(scores, ab, bins, class_weight, skipped, scale, neighbors, sigma);
  const Tensor& logits = arguments.logits;
  const std::vector<int64_t> shape = {logits.size(0), logits.size(2), logits.size(3)};
  const Tensor loss =
      torch::stable::new_zeros(logits, per_pixel ? shape : std::vector<int64_t>{}, compute_type(logits));
  const Tensor gradient = with_gradient ? fresh_like(logits) : torch::stable::new_empty(logits, {0});
  if (logits.numel() == 0) return {loss, gradient};
  for_storage_type(logits, "soft_cross_entropy", [&](auto* type) {
    using T = Pointee<decltype(type)>;
    using Real = core::Compute<T>;
    const int64_t parts = per_pixel ? 0 : partial_sums<T>(logits);
    const Tensor partial = torch::stable::new_empty(logits, {parts}, ScalarType::Double);
    // float16 would lose gradients divided by the number of pixels: they stay undivided, and the backward pass scales.
    const Real* factor = std::is_same_v<T, core::Half> ? nullptr : input<Real>(scale);
    run<T>(arguments, {per_pixel ? output<Real>(loss) : nullptr, per_pixel ? nullptr : output<double>(partial),
                       with_gradient ? output<T>(gradient) : nullptr, nullptr, false, factor});
    if (!per_pixel) finish<Real>(partial, scale, loss);
  });
  return {loss, gradient};
}

Tensor soft_cross_entropy_backward(const Tensor& grad, const Tensor& scores, const Tensor& ab, const Tensor& bins,
                                   const std::optional<Tensor>& class_weight, const std::optional<Tensor>& skipped,
                                   const Tensor& scale, int64_t neighbors, double sigma) {
  const Arguments arguments = arguments_of(scores, ab, bins, class_weight, skipped, scale, neighbors, sigma);
  const Tensor& logits = arguments.logits;
  const bool per_pixel = grad.dim() != 0;
  const Tensor upstream = torch::stable::contiguous(grad);
  check(upstream, logits, per_pixel ? logits.size(0) * logits.size(2) * logits.size(3) : 1, compute_type(logits),
        "the gradient");
  const Tensor gradient = fresh_like(logits);
  if (logits.numel() == 0) return gradient;
  for_storage_type(logits, "soft_cross_entropy_backward", [&](auto* type) {
    using T = Pointee<decltype(type)>;
    using Real = core::Compute<T>;
    run<T>(arguments, {nullptr, nullptr, output<T>(gradient), input<Real>(upstream), per_pixel, input<Real>(scale)});
  });
  return gradient;
}

// A factor of 1 leaves the gradient untouched.
void scale_gradient_(Tensor gradient, const Tensor& factor) {
  check(factor, gradient, 1, compute_type(gradient), "the factor");
  if (gradient.numel() == 0) return;
  for_storage_type(gradient, "scale_gradient_", [&](auto* type) {
    using T = Pointee<decltype(type)>;
    using Real = core::Compute<T>;
    if constexpr (kWithCuda) {
      if (gradient.is_cuda())
        return on_cuda(gradient, "scale_gradient_", [&](void* stream) {
          return core::scale_gradient_cuda(output<T>(gradient), input<Real>(factor), gradient.numel(), stream);
        });
    }
    const Real number = *input<Real>(factor);
    if (number == Real(1)) return;
    on_cpu(gradient.numel(), kGrain * core::kTile * gradient.size(1),
           [&](int64_t first, int64_t last) { core::scale_gradient_cpu(output<T>(gradient), number, first, last); });
  });
}

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(nirtrans, CPU, m) {
  m.impl("soft_cross_entropy", TORCH_BOX(&soft_cross_entropy));
  m.impl("soft_cross_entropy_backward", TORCH_BOX(&soft_cross_entropy_backward));
  m.impl("scale_gradient_", TORCH_BOX(&scale_gradient_));
}

#if defined(NIRTRANS_CUDA_ARCHS)
STABLE_TORCH_LIBRARY_IMPL(nirtrans, CUDA, m) {
  m.impl("soft_cross_entropy", TORCH_BOX(&soft_cross_entropy));
  m.impl("soft_cross_entropy_backward", TORCH_BOX(&soft_cross_entropy_backward));
  m.impl("scale_gradient_", TORCH_BOX(&scale_gradient_));
}
#endif

}  // namespace nirtrans::binding
