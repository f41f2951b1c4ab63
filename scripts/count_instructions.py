"""Count the instructions that the CPU kernels spend per pixel, with valgrind: repeatable on a busy machine.

The difference between three runs and one leaves out everything but the kernel. Compiled for x86-64-v3 (AVX2), which
valgrind can execute. Run: python scripts/count_instructions.py
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
CSRC = ROOT / "csrc"
FLAGS = ["-std=c++17", "-O3", "-march=x86-64-v3", "-DNIRTRANS_DEBUG", "-fno-math-errno", "-fno-trapping-math"]
# What has to be computed, as multiplications, additions and comparisons of one number each.
KERNELS = {
    "rgb_to_lab": "3 powers, 3 cube roots",
    "image_to_lab": "3 powers, 3 cube roots, deinterleaving",
    "encode_ab": "7.5 distances of 313, 5 exponentials",
    "annealed_mean": "313 exponentials, 626 products",
    "soft_cross_entropy f+b": "313 exponentials, encoding",
    "ssim": "3 channels: 8 filters of 11 taps",
    "ssim f+b": "3 channels: 14 filters of 11 taps",
}


def instructions(program: Path, kernel: str, times: int, folder: Path) -> tuple[int, int]:
    """Return the instructions of a run and the pixels of one kernel call."""
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder / 'out'}", program, kernel, str(times)]
    run = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True)
    collected = re.search(r"Collected\s*:\s*(\d+)", run.stderr)
    if collected is None:
        raise SystemExit(f"callgrind reported nothing:\n{run.stderr}")
    return int(collected[1]), int(run.stdout)


def main() -> int:
    """Compile the kernels and print one row for each."""
    if shutil.which("valgrind") is None or shutil.which("g++") is None:
        print("count_instructions needs g++ and valgrind (apt install valgrind)", file=sys.stderr)
        return 2
    print("| kernel | instructions per pixel | what they do |\n|---|--:|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        program = folder / "program"
        sources = [Path(__file__).with_suffix(".cpp"), *sorted((CSRC / "cpu").glob("*.cpp"))]
        subprocess.run(["g++", *FLAGS, f"-I{CSRC}", *map(str, sources), "-o", str(program)], check=True)
        for kernel, work in KERNELS.items():
            once, pixels = instructions(program, kernel, 1, folder)
            thrice, _ = instructions(program, kernel, 3, folder)
            print(f"| {kernel} | {(thrice - once) / 2 / pixels:.0f} | {work} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
