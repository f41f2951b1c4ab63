"""Loading: what is reported, what runs instead, what is not imported."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from nirtrans.kernels import _library, build_info, reference, rgb_to_lab
from tests.kernels.conftest import compiled_only

ROOT = Path(__file__).parent.parent.parent


def run_python(code: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | variables
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)


def test_build_info_is_complete() -> None:
    info = build_info()
    assert list(info) == ["compiled", "reason", "version", "torch", "cpu_isa", "cuda", "cuda_archs"]
    assert info["compiled"] == (info["reason"] is None)
    assert info["cuda"] == bool(info["cuda_archs"])
    assert info["torch"] == torch.__version__


def test_variable_switches_to_the_twins() -> None:
    code = "from nirtrans.kernels import build_info, rgb_to_lab; import torch; print(build_info()['reason']); "
    code += "x = torch.rand(3, 2, 2, requires_grad=True); print(type(rgb_to_lab(x).grad_fn).__name__)"
    result = run_python(code, NIRTRANS_NO_COMPILED="1")
    reason, gradient = result.stdout.splitlines()
    assert reason == "NIRTRANS_NO_COMPILED=1 is set; unset it to use the compiled kernels"
    assert gradient == "StackBackward0"


def test_missing_library_gives_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NIRTRANS_NO_COMPILED", raising=False)
    paths = tmp_path / "absent.so", tmp_path / "build_failure.txt"
    assert _library.load(*paths).startswith("the library is not built; run `make build`")
    (tmp_path / "build_failure.txt").write_text("no C++ compiler (g++) was found\n")
    assert _library.load(*paths) == "no C++ compiler (g++) was found"


def test_damaged_library_gives_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NIRTRANS_NO_COMPILED", raising=False)
    (tmp_path / "_torch_ops.so").write_bytes(b"not a library")
    reason = _library.load(tmp_path / "_torch_ops.so", tmp_path / "build_failure.txt")
    assert reason.startswith(f"_torch_ops.so does not load with torch {torch.__version__} (")
    assert "run `make build`" in reason
    assert "\n" not in reason


def test_devices_without_a_kernel_use_the_twin() -> None:
    assert not _library.compiled_for(torch.device("mps"))
    assert _library.compiled_for(torch.device("cuda")) == build_info()["cuda"]


@compiled_only
def test_meta_tensors_need_no_kernel() -> None:
    image = torch.empty(2, 3, 4, 5, device="meta").to(memory_format=torch.channels_last)
    assert rgb_to_lab(image).stride() == image.stride()


def test_kernels_import_nothing_beyond_torch_and_numpy() -> None:
    code = (
        "import sys\nfor name in ('pydantic', 'rasterio', 'typer', 'yaml', 'rich', 'PIL'): sys.modules[name] = None\n"
    )
    result = run_python(code + "import nirtrans.kernels; print('imported')")
    assert result.stdout == "imported\n", result.stderr


def test_matrix_is_inverted_in_double_precision() -> None:
    product = (
        torch.tensor(reference.color.RGB_TO_XYZ_WHITE).double()
        @ torch.tensor(reference.color.XYZ_WHITE_TO_RGB).double()
    )
    assert (product - torch.eye(3)).abs().max() < 1e-6
    assert all(abs(sum(row) - 1) < 1e-15 for row in reference.color.RGB_TO_XYZ_WHITE)
