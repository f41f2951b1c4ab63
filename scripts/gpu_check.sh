#!/usr/bin/env bash
# Everything that needs an NVIDIA GPU, in one call: build in place with that machine's torch, tell what was built, run
# the tests marked cuda (a missing device fails), the sanitizers, and the benchmark. Results: benchmarks/results.
#
#   PYTHON=python3 ARCH=9.0 scripts/gpu_check.sh [RESULTS_FOLDER]
set -u
cd "$(dirname "$0")/.." || exit 1
python=${PYTHON:-python3}
results=${1:-benchmarks/results}
failed=0
export NIRTRANS_REQUIRE_CUDA=1
# What is not installed here may lie in .deps (pip install --target .deps ...).
export PYTHONPATH=.:.deps${PYTHONPATH:+:$PYTHONPATH}

step() {
  echo "== $1"
  shift
  "$@" || { echo "!! failed: $*"; failed=1; }
}

echo "== machine"
nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader || failed=1
nvcc --version | tail -n 1
git rev-parse --short HEAD 2>/dev/null || echo "no git: commit unknown"

step "build" env NIRTRANS_CUDA=1 TORCH_CUDA_ARCH_LIST="${ARCH:-9.0}" "$python" setup.py --quiet build_ext --inplace
step "kernels" "$python" -c "
import json, torch
from nirtrans.kernels import build_info
print(json.dumps(build_info(), indent=1))
print('device', torch.cuda.get_device_name(), 'sm_%d%d' % torch.cuda.get_device_capability())
"
step "tests" "$python" -m pytest -q -m cuda --slow tests/kernels

if command -v compute-sanitizer >/dev/null; then
  for tool in memcheck racecheck synccheck; do
    log=$(mktemp)
    echo "== compute-sanitizer $tool"
    compute-sanitizer --tool "$tool" --error-exitcode 9 "$python" -m pytest -q -m cuda -k "reference or gradients" \
      tests/kernels >"$log" 2>&1
    status=$?
    tail -n 8 "$log"
    if grep -q "Device not supported" "$log"; then
      echo "compute-sanitizer does not support this (virtualised) device: $tool not run"
    elif [ $status -ne 0 ]; then
      failed=1
    fi
    rm -f "$log"
  done
else
  echo "== compute-sanitizer is not installed: not run"
fi

step "benchmark" "$python" -c "
from pathlib import Path
from nirtrans.bench.lab import run_lab
print(run_lab(threads=[1], out=Path('$results')))
"
exit $failed
