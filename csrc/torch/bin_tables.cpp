#include "bin_tables.h"

#include <vector>

namespace nirtrans::binding {
namespace {

// A copy of a table on a CUDA device, as 32-bit words: bins, starts, lists.
struct DeviceBins {
  std::shared_ptr<const core::IndexedBins> index;
  Tensor words;
};

Tensor words_of(const core::IndexedBins& index, const Tensor& like) {
  const size_t lists = (index.lists.size() + 1) / 2;
  std::vector<int32_t> words(index.bins.size() + index.starts.size() + lists);
  int32_t* end = words.data();
  memcpy(end, index.bins.data(), index.bins.size() * sizeof(float));
  memcpy(end += index.bins.size(), index.starts.data(), index.starts.size() * sizeof(int32_t));
  memcpy(end += index.starts.size(), index.lists.data(), index.lists.size() * sizeof(uint16_t));
  const int64_t size = static_cast<int64_t>(words.size());
  const torch::stable::Device cpu(torch::headeronly::DeviceType::CPU);
  const Tensor host = torch::stable::from_blob(words.data(), {size}, {1}, cpu, ScalarType::Int);
  Tensor device = torch::stable::new_empty(like, {size}, ScalarType::Int);
  return torch::stable::copy_(device, host);
}

// Tables stay on their device for good: other streams than the one that copied them may be reading.
const Tensor& words_on_device(const std::shared_ptr<const core::IndexedBins>& index, const Tensor& like) {
  static auto& lock = *new std::mutex;
  static auto& kept = *new std::map<std::pair<int32_t, const core::IndexedBins*>, DeviceBins>;
  const std::lock_guard<std::mutex> guard(lock);
  const std::pair<int32_t, const core::IndexedBins*> key{like.get_device_index(), index.get()};
  auto found = kept.find(key);
  if (found == kept.end()) found = kept.emplace(key, DeviceBins{index, words_of(*index, like)}).first;
  return found->second.words;
}

}  // namespace

PlacedBins place_bins(const Tensor& bins, int64_t neighbors, const Tensor& like) {
  STD_TORCH_CHECK(bins.dim() == 2 && bins.size(1) == 2 && bins.size(0) >= 1 && bins.size(0) <= 4096 &&
                      bins.scalar_type() == ScalarType::Float && bins.is_contiguous() && !bins.is_cuda(),
                  "bins: expected a contiguous float32 tensor (Q, 2) on the CPU with 1 <= Q <= 4096");
  const int32_t count = static_cast<int32_t>(bins.size(0));
  STD_TORCH_CHECK(neighbors >= 1 && neighbors <= count, "neighbors: expected 1 to ", count);
  auto index = core::indexed_bins(input<float>(bins), count, static_cast<int32_t>(neighbors));
  if (!like.is_cuda()) return {index, index->table()};
  const int32_t* words = input<int32_t>(words_on_device(index, like));
  const int32_t* starts = words + index->bins.size();
  const void* lists = starts + index->starts.size();
  return {index, {reinterpret_cast<const float*>(words), starts, static_cast<const uint16_t*>(lists), count}};
}

core::Planes planes_of(const Tensor& tensor) {
  const int64_t plane = tensor.size(2) * tensor.size(3);
  return {tensor.size(0), tensor.size(1), plane, !tensor.is_contiguous()};
}

}  // namespace nirtrans::binding
