#pragma once

#include <ucontext.h>

#include <cstddef>
#include <cstdlib>
#include <functional>
#include <memory>
#include <vector>

// Run CUDA kernels on the CPU, one fiber per thread of a block, so that tests see them under g++, ASan and UBSan.
//
// Between two barriers the threads of a block run one after the other: forwards, then backwards, in turn, so that a
// missing barrier changes results whichever way the data flow. A barrier that not all threads reach ends the launch
// with kBarrierDivergence. Not modelled: warps and their intrinsics, data races, the memory model, occupancy.

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};

namespace nirtrans::emu {

constexpr int kBarrierDivergence = 719;  // cudaErrorLaunchFailure
constexpr std::size_t kStackBytes = 256 * 1024;

struct Fiber {
  ucontext_t context;
  std::unique_ptr<char[]> stack{new char[kStackBytes]};
  dim3 thread;
  bool done = false;
};

// State of the launch that runs; launches do not overlap.
struct Launch {
  dim3 grid, block, block_index;
  std::vector<Fiber> fibers;
  Fiber* current = nullptr;
  ucontext_t scheduler;
  std::function<void()> kernel;
  std::unique_ptr<char[]> shared;
};

inline Launch& launch() {
  static Launch state;
  return state;
}

inline void* dynamic_shared() { return launch().shared.get(); }

inline void enter() {
  launch().kernel();
  launch().current->done = true;
}

inline void resume(Fiber& fiber) {
  launch().current = &fiber;
  swapcontext(&launch().scheduler, &fiber.context);
}

inline void barrier() { swapcontext(&launch().current->context, &launch().scheduler); }

inline void start(Fiber& fiber, unsigned index) {
  const dim3 block = launch().block;
  fiber.thread = {index % block.x, index / block.x % block.y, index / (block.x * block.y)};
  fiber.done = false;
  getcontext(&fiber.context);
  fiber.context.uc_stack.ss_sp = fiber.stack.get();
  fiber.context.uc_stack.ss_size = kStackBytes;
  fiber.context.uc_link = &launch().scheduler;
  makecontext(&fiber.context, enter, 0);
}

// Let all threads run to their next barrier, again and again; false if some end while others wait.
inline bool run_block() {
  auto& fibers = launch().fibers;
  for (unsigned i = 0; i < fibers.size(); ++i) start(fibers[i], i);
  for (bool forwards = true;; forwards = !forwards) {
    for (std::size_t i = 0; i < fibers.size(); ++i) resume(fibers[forwards ? i : fibers.size() - 1 - i]);
    std::size_t done = 0;
    for (const Fiber& fiber : fibers) done += fiber.done;
    if (done == fibers.size()) return true;
    if (done != 0) return false;
  }
}

template <typename Kernel>
int run(dim3 grid, dim3 block, std::size_t shared_bytes, Kernel kernel) {
  Launch& state = launch();
  state.shared.reset(new char[shared_bytes]);
  state.grid = grid, state.block = block, state.kernel = kernel;
  state.fibers.resize(std::size_t{block.x} * block.y * block.z);
  for (unsigned z = 0; z < grid.z; ++z)
    for (unsigned y = 0; y < grid.y; ++y)
      for (unsigned x = 0; x < grid.x; ++x) {
        state.block_index = {x, y, z};
        if (!run_block()) return kBarrierDivergence;
      }
  return 0;
}

}  // namespace nirtrans::emu

// The CUDA words that the kernels use. Blocks run one after the other, so static memory is shared within a block.
#define __global__
#define __device__
#define __shared__ static
#define __launch_bounds__(...)
#define __syncthreads() nirtrans::emu::barrier()
#define threadIdx (nirtrans::emu::launch().current->thread)
#define blockIdx (nirtrans::emu::launch().block_index)
#define blockDim (nirtrans::emu::launch().block)
#define gridDim (nirtrans::emu::launch().grid)
