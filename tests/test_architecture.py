"""The house rules that can be read off the source: who imports whom, who may step, who stays free of torch."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "nirtrans"
ORDER = [
    *("errors", "registry", "domains", "ab_bins", "arguments"),
    *("config", "config_files", "progress", "kernels", "numpy_kernels", "io"),
    *("color", "nn", "losses", "data", "models", "inference", "evaluation", "engine"),
    *("export", "serving", "bench", "cli", "__main__"),
]  # a module imports what stands before it
LEVELS = {name: level for level, name in enumerate(ORDER)}
WITHOUT_TORCH = [
    "errors",
    "registry",
    "domains",
    "ab_bins",
    "arguments",
    "config",
    "config_files",
    "progress",
    "io.images",
    "io.geotiff",
    "io.sources",
    "io.bands",
    "cli.app",
]
STEP_ONLY = (".backward(", ".step(", ".zero_grad(")


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py" or path.parent != PACKAGE)


def part(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imported(path: Path) -> set[str]:
    """Top-level parts of nirtrans that a file imports anywhere, inside functions as well."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("nirtrans."):
            names.add(node.module.split(".")[1])
        elif isinstance(node, ast.ImportFrom) and node.module == "nirtrans":
            names |= {alias.name for alias in node.names if alias.name in LEVELS}
        elif isinstance(node, ast.Import):
            names |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("nirtrans.")}
    return names


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    own = part(path)
    upward = [name for name in imported(path) if name != own and LEVELS[name] >= LEVELS[own]]
    assert not upward, f"{own} imports {upward}"


def test_every_part_has_a_level() -> None:
    assert {part(path) for path in modules()} <= set(LEVELS)


@pytest.mark.parametrize("own", ["models", "nn", "losses"])
def test_systems_know_no_files(own: str) -> None:
    for path in (PACKAGE / own).rglob("*.py"):
        forbidden = {"data"} if path.name == "weights.py" else {"data", "io"}
        assert not imported(path) & forbidden, path


def test_only_one_module_steps() -> None:
    guilty = [
        f"{path.relative_to(ROOT)}: {call}"
        for path in modules()
        for call in STEP_ONLY
        if call in path.read_text() and path != PACKAGE / "engine" / "step.py"
    ]
    assert not [line for line in guilty if not line.startswith("nirtrans/bench/")]


@pytest.mark.parametrize("name", WITHOUT_TORCH)
def test_torch_stays_out(name: str) -> None:
    code = f"import sys, nirtrans.{name}; sys.exit('torch' in sys.modules or 'rasterio' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_package_import_is_light() -> None:
    code = "import sys, nirtrans; sys.exit(any(name in sys.modules for name in ('torch', 'rasterio', 'numpy')))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


@pytest.mark.parametrize(
    ("needle", "home"),
    [("torch/csrc", "torch"), ("pybind11", "numpy"), ("cuda_runtime", "cuda"), ("cuda_runtime_api", "cuda")],
)
def test_foreign_headers_stay_in_their_room(needle: str, home: str) -> None:
    for path in (ROOT / "csrc").rglob("*.*"):
        if path.parent.name != home:
            includes = [line for line in path.read_text().splitlines() if line.startswith("#include")]
            assert not [line for line in includes if needle in line], path


def test_there_is_no_utils() -> None:
    assert not [path for path in PACKAGE.rglob("*") if path.stem in {"utils", "util", "helpers", "common", "misc"}]


def test_modules_stay_small() -> None:
    sizes = {path: len(path.read_text().splitlines()) for path in modules()}
    assert not {str(path): lines for path, lines in sizes.items() if lines > 400}
