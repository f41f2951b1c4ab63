#!/usr/bin/env bash
# Everything that needs an NVIDIA GPU, in one call of at most ten minutes: build in place with that machine's torch, tell
# what was built, run the tests marked cuda (a missing device fails), the benchmarks, the sanitizers on every kernel.
# A step that fails or takes too long does not stop the others. FOLDER receives the log and the tables.
#
#   PYTHON=python3 ARCH=9.0 LIMIT_S=590 scripts/gpu_check.sh [FOLDER]
set -u
folder=$(realpath -m "${1:-benchmarks/results}")
cd "$(dirname "$0")/.." || exit 1
export python=${PYTHON:-python3}
limit_s=${LIMIT_S:-590}
failed=()
export NIRTRANS_REQUIRE_CUDA=1 PYTHONUNBUFFERED=1
# What is not installed here may lie in .deps (pip install --target .deps ...).
export PYTHONPATH=.:.deps${PYTHONPATH:+:$PYTHONPATH}

step() { # NAME SECONDS COMMAND...
  local name=$1 seconds=$2 left=$((limit_s - SECONDS)) status
  shift 2
  echo "== $name, after $SECONDS s"
  [ "$seconds" -lt "$left" ] || seconds=$left
  if [ "$seconds" -le 0 ]; then
    echo "!! no time left"
    failed+=("$name")
    return
  fi
  timeout --kill-after=5 "$seconds" "$@"
  status=$?
  [ $status -ne 124 ] || echo "!! stopped after $seconds s"
  [ $status -eq 0 ] || failed+=("$name, status $status")
}

sanitize() { # TOOL
  local log status
  log=$(mktemp)
  compute-sanitizer --tool "$1" --error-exitcode 9 "$python" scripts/touch_kernels.py cuda >"$log" 2>&1
  status=$?
  tail -n 8 "$log"
  if grep -q "Device not supported" "$log"; then
    echo "compute-sanitizer does not support this (virtualised) device: $1 not run"
    status=0
  fi
  rm -f "$log"
  return $status
}
export -f sanitize

main() {
  step machine 20 nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader
  nvcc --version | tail -n 1
  git rev-parse --short HEAD 2>/dev/null || echo "no git: commit unknown"
  step build 240 env NIRTRANS_CUDA=1 TORCH_CUDA_ARCH_LIST="${ARCH:-9.0}" "$python" setup.py --quiet build_ext --inplace
  step kernels 40 "$python" -c "
import json, torch
from nirtrans.kernels import build_info
print(json.dumps(build_info(), indent=1))
print('device', torch.cuda.get_device_name(), 'sm_%d%d' % torch.cuda.get_device_capability())
"
  step tests 150 "$python" -m pytest -q -m cuda --slow tests/kernels
  for suite in lab bins ssim train; do
    step "bench $suite" 100 "$python" -c "
from pathlib import Path
from nirtrans.bench.suites import run_suite
print(run_suite('$suite', threads=[1], devices=['cuda'], out=Path('$folder'), compiled=True))
"
  done
  if command -v compute-sanitizer >/dev/null; then
    for tool in memcheck racecheck synccheck; do
      step "compute-sanitizer $tool" 60 bash -c "sanitize $tool"
    done
  else
    echo "== compute-sanitizer is not installed: not run"
  fi
  [ ${#failed[@]} -eq 0 ] && echo "== all steps passed after $SECONDS s" && return
  printf '!! failed: %s\n' "${failed[@]}"
  return 1
}

mkdir -p "$folder" || exit 1
main 2>&1 | tee "$folder/gpu_check.log"
exit "${PIPESTATUS[0]}"
