"""Compile every CUDA kernel for every architecture without a GPU; spilled registers or local memory are errors.

Prints a table of registers, shared memory and spills per kernel. Needs nvcc only, no torch.
Run: python scripts/cuda_check.py [FILE.cu ...]
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
ARCHITECTURES = ("sm_80", "sm_90", "sm_100")
FLAGS = [
    *("-c", "-O3", "-std=c++17", "-Werror", "all-warnings", "-Xcompiler", "-Wall,-Wextra,-Werror,-fPIC"),
    *("-Xptxas", "-v,-warn-spills,-warn-lmem-usage,-Werror"),
]
SPILLS = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")
USED = re.compile(r"Used (\d+) registers")
SHARED = re.compile(r"(\d+) bytes smem")


def readable(symbols: list[str]) -> dict[str, str]:
    """Demangle kernel names and drop namespaces and parameters."""
    if shutil.which("c++filt") is None:
        return {symbol: symbol for symbol in symbols}
    names = subprocess.run(["c++filt", *symbols], capture_output=True, text=True, check=True).stdout.splitlines()
    short = [re.sub(r"nirtrans::core::|\(anonymous namespace\)::|^void ", "", name).split("(")[0] for name in names]
    return dict(zip(symbols, short, strict=True))


def rows(log: str) -> list[tuple[str, int, int, int]]:
    """Read (symbol, registers, shared bytes, spilled bytes) per kernel from the report of ptxas."""
    found = []
    for part in log.split("ptxas info    : Compiling entry function")[1:]:
        symbol = re.search(r"'(\w+)'", part)
        spills, used, shared = SPILLS.search(part), USED.search(part), SHARED.search(part)
        if symbol and spills and used:
            spilled = int(spills[2]) + int(spills[3])
            found.append((symbol[1], int(used[1]), int(shared[1]) if shared else 0, spilled))
    return found


def check(source: Path, arch: str, folder: Path) -> bool:
    """Compile one file for one architecture, print its table, and tell whether it passed."""
    command = ["nvcc", *FLAGS, f"-arch={arch}", str(source), "-o", str(folder / f"{source.stem}.o")]
    result = subprocess.run(command, capture_output=True, text=True)
    table = rows(result.stderr)
    names = readable([row[0] for row in table])
    for symbol, registers, shared, spilled in sorted(table, key=lambda row: names[row[0]]):
        print(f"{arch:7} {registers:9} {shared:8} {spilled:7}  {names[symbol]}")
    if result.returncode:
        print(f"{source.name} for {arch} failed:\n{result.stderr}", file=sys.stderr)
    return result.returncode == 0


def main(files: list[str]) -> int:
    """Check the given files, or all of csrc/cuda; return the exit code."""
    if shutil.which("nvcc") is None:
        print("cuda_check needs nvcc on the PATH; install the CUDA toolkit", file=sys.stderr)
        return 2
    sources = [Path(name) for name in files] or sorted((ROOT / "csrc" / "cuda").glob("*.cu"))
    print(f"{'arch':7} {'registers':>9} {'shared':>8} {'spilled':>7}  kernel")
    with tempfile.TemporaryDirectory() as folder:
        passed = [check(source, arch, Path(folder)) for source in sources for arch in ARCHITECTURES]
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
