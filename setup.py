"""Build the two compiled libraries; everything else about the package stands in pyproject.toml.

| library | bound with | serves |
|---|---|---|
| nirtrans/kernels/_torch_ops.so | LibTorch stable ABI, no Python symbols | torch 2.11 to 2.13, any Python |
| nirtrans/_numpy_ops.*.so | pybind11, no torch | NumPy, this Python |

| variable | values |
|---|---|
| NIRTRANS_CUDA | auto (default): CUDA kernels if nvcc is found and torch is built for CUDA; 0: never; 1: always |
| CUDA_HOME | toolkit, default: /usr/local/cuda, else where nvcc is |
| TORCH_CUDA_ARCH_LIST | default "8.0;9.0;10.0+PTX" |
| MAX_JOBS | sources compiled at the same time, default: the number of processors |
| NIRTRANS_DEBUG | 1: -O0 -g without instruction-set variants, -G for CUDA |

Without a C++ compiler the installation succeeds: the package then runs on its pure-torch twins and says why.
"""

import importlib
import importlib.util
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).parent
FAILURE = ROOT / "nirtrans" / "kernels" / "build_failure.txt"
TORCH_OPS = "nirtrans.kernels._torch_ops"
NUMPY_OPS = "nirtrans._numpy_ops"
ADVICE = 'nirtrans needs {0} to build: pip install "{0}", then pip install --no-build-isolation -e .'
DEBUG = os.environ.get("NIRTRANS_DEBUG") == "1"
CPU_SOURCES, CUDA_SOURCES, NUMPY_SOURCES, TORCH_SOURCES = (
    sorted(str(path.relative_to(ROOT)) for path in (ROOT / "csrc" / folder).glob(pattern))
    for folder, pattern in (("cpu", "*.cpp"), ("cuda", "*.cu"), ("numpy", "*.cpp"), ("torch", "*.cpp"))
)
# The two math flags let GCC turn selections into vector code. Never -ffast-math: it breaks NaN and accuracy.
CXX_FLAGS = ["-std=c++17", "-fvisibility=hidden", "-fno-math-errno", "-fno-trapping-math", "-Wall", "-Wextra"]
CXX_FLAGS += ["-O0", "-g", "-DNIRTRANS_DEBUG"] if DEBUG else ["-O3", "-g0"]
NVCC_FLAGS = ["-O3", "-std=c++17", "-lineinfo", "--threads=2", "-Xcompiler=-fPIC,-fvisibility=hidden,-Wall,-Wextra"]
NVCC_FLAGS += ["-G"] if DEBUG else []
TORCH_FLAGS = ["-DTORCH_TARGET_VERSION=0x020b000000000000"]  # 2.11, the oldest torch that the library must serve


def cuda_home() -> Path | None:
    """Find the CUDA toolkit: a folder with bin/nvcc and the static runtime in lib64."""
    nvcc = shutil.which("nvcc")
    candidates = [os.environ.get("CUDA_HOME"), "/usr/local/cuda", nvcc and Path(nvcc).resolve().parent.parent]
    needed_files = ("bin/nvcc", "lib64/libcudart_static.a")
    homes = [Path(home) for home in candidates if home]
    return next((home for home in homes if all((home / name).exists() for name in needed_files)), None)


def wants_cuda(torch_cuda: str | None) -> bool:
    """Decide by NIRTRANS_CUDA; a GPU on the building machine plays no part."""
    choice = os.environ.get("NIRTRANS_CUDA", "auto")
    if choice not in ("auto", "0", "1"):
        raise SystemExit(f"NIRTRANS_CUDA: expected auto, 0 or 1, got {choice!r}")
    if choice == "1" and cuda_home() is None:
        raise SystemExit(
            "NIRTRANS_CUDA=1 needs nvcc: install the CUDA toolkit and set CUDA_HOME, or set NIRTRANS_CUDA=0"
        )
    return choice == "1" or (choice == "auto" and cuda_home() is not None and torch_cuda is not None)


def architectures() -> list[str]:
    """Read TORCH_CUDA_ARCH_LIST, e.g. ['8.0', '9.0', '10.0+PTX']."""
    return os.environ.get("TORCH_CUDA_ARCH_LIST", "8.0;9.0;10.0+PTX").replace(",", ";").replace(" ", ";").split(";")


def gencode(arch: str) -> list[str]:
    """Translate one architecture to nvcc flags; +PTX adds the code that newer devices translate themselves."""
    number = arch.removesuffix("+PTX").replace(".", "")
    flags = [f"-gencode=arch=compute_{number},code=sm_{number}"]
    return flags + ([f"-gencode=arch=compute_{number},code=compute_{number}"] if arch.endswith("+PTX") else [])


def needed(module: str, requirement: str) -> ModuleType:
    """Import what only the build needs, or say in one line how to get it."""
    if importlib.util.find_spec(module) is None:
        raise SystemExit(ADVICE.format(requirement))
    return importlib.import_module(module)


class BuildKernels(build_ext):
    """Compile with setuptools' own compiler for C++ and with nvcc for CUDA."""

    def run(self) -> None:
        """Build everything, or note why nothing was built."""
        compiler = os.environ.get("CXX", "g++").split()[0]
        FAILURE.unlink(missing_ok=True)
        if shutil.which(compiler) is None:
            reason = f"no C++ compiler ({compiler}) was found; install g++ (apt install g++), then run `make build`"
            FAILURE.write_text(reason + "\n")
            print(f"warning: nirtrans is installed without compiled kernels: {reason}", file=sys.stderr)
            self.extensions = []
            return
        self.parallel = self.parallel or int(os.environ.get("MAX_JOBS") or os.cpu_count() or 1)
        self.force = True  # other variables than last time must never meet old objects
        super().run()

    def build_extensions(self) -> None:
        """Compile the CPU kernels once for both libraries, which therefore agree to the bit."""
        kernels = self.compiler.compile(CPU_SOURCES, output_dir=self.build_temp, extra_postargs=CXX_FLAGS)
        for ext in self.extensions:
            ext.extra_objects = list(kernels)
        super().build_extensions()

    def build_extension(self, ext: Extension) -> None:
        """Add the flags, and to the torch library torch and CUDA; then build as usual."""
        ext.extra_compile_args = list(CXX_FLAGS)
        ext.extra_link_args = ["-pthread"]
        if ext.name == TORCH_OPS:
            self._add_torch(ext)
        else:
            # PyPI's pybind11; the copy inside torch 2.11 does not compile here.
            ext.include_dirs = [needed("pybind11", "pybind11>=2.13").get_include()]
        super().build_extension(ext)

    def get_ext_filename(self, fullname: str) -> str:
        """Name the torch library without the Python version, on which it does not depend."""
        if fullname.rpartition(".")[2] == TORCH_OPS.rpartition(".")[2]:
            return str(Path(*fullname.split("."))) + ".so"
        return super().get_ext_filename(fullname)

    def get_export_symbols(self, ext: Extension) -> list[str]:
        """Export nothing by force: the torch library has no Python entry point."""
        return []

    def _add_torch(self, ext: Extension) -> None:
        torch = needed("torch", "torch>=2.11,<2.14")
        home = Path(torch.__file__).parent
        # System folders, so that -Wall speaks of our own code only.
        for folder in ("include", "include/torch/csrc/api/include"):
            ext.extra_compile_args += ["-isystem", str(home / folder)]
        ext.extra_compile_args += TORCH_FLAGS
        ext.library_dirs = [str(home / "lib")]
        # libtorch itself names libtorch_cuda in CUDA builds, where the weak symbol of the CUDA stream lives.
        ext.extra_link_args += ["-Wl,--no-as-needed", "-ltorch", "-Wl,--as-needed", "-ltorch_cpu", "-lc10"]
        if wants_cuda(torch.version.cuda):
            self._add_cuda(ext)

    def _add_cuda(self, ext: Extension) -> None:
        home, archs = cuda_home(), architectures()
        ext.define_macros = [("NIRTRANS_CUDA_ARCHS", '"' + " ".join(archs) + '"')]
        ext.extra_objects += self._compile_cuda(home, [flag for arch in archs for flag in gencode(arch)])
        ext.extra_link_args += [f"-L{home / 'lib64'}", "-lcudart_static", "-lrt", "-ldl"]

    def _compile_cuda(self, home: Path, arch_flags: list[str]) -> list[str]:
        folder = Path(self.build_temp) / "csrc" / "cuda"
        folder.mkdir(parents=True, exist_ok=True)
        objects = [str(folder / (Path(source).stem + ".o")) for source in CUDA_SOURCES]
        commands = [
            [str(home / "bin" / "nvcc"), "-c", *NVCC_FLAGS, *arch_flags, source, "-o", target]
            for source, target in zip(CUDA_SOURCES, objects, strict=True)
        ]
        with ThreadPoolExecutor(self.parallel) as pool:
            list(pool.map(self._run, commands))
        return objects

    @staticmethod
    def _run(command: list[str]) -> None:
        print(" ".join(command))
        if subprocess.run(command).returncode:
            raise SystemExit("nvcc failed, see above; NIRTRANS_CUDA=0 builds without the CUDA kernels")


setup(
    ext_modules=[Extension(TORCH_OPS, TORCH_SOURCES), Extension(NUMPY_OPS, NUMPY_SOURCES)],
    cmdclass={"build_ext": BuildKernels},
)
