"""`nirtrans doctor`: what works on this machine, what does not, and the command that repairs it."""

import importlib.metadata
import os
import platform
from typing import Any

import typer

from nirtrans.cli.options import Debug

PACKAGES = (
    "torch",
    "numpy",
    "rasterio",
    "pillow",
    "pydantic",
    "safetensors",
    "accelerate",
    "tensorboard",
    "typer",
    "rich",
)
OPTIONAL = {"bench": ("kornia", "opencv-python-headless", "scikit-image")}


def doctor(debug: Debug = False) -> None:
    """Tell versions, compiled kernels or the reason for their absence, CUDA, extras and the health of GDAL and PROJ."""
    from nirtrans import __version__
    from nirtrans.errors import RunError
    from nirtrans.kernels import build_info

    info = build_info()
    _section("nirtrans", {"version": __version__, "python": platform.python_version(), "platform": platform.platform()})
    _section("packages", {name: _version(name) for name in PACKAGES})
    _section("kernels", _kernel_lines(info))
    _section("cuda", _cuda_lines(info))
    _section("rasters", _raster_lines())
    for extra, names in OPTIONAL.items():
        _section(f"extra {extra}", {name: _version(name, f"pip install 'nirtrans[{extra}]'") for name in names})
    if os.environ.get("NIRTRANS_REQUIRE_CUDA") == "1" and not _cuda_usable(info):
        raise RunError("NIRTRANS_REQUIRE_CUDA=1, but the CUDA kernels are absent or no device can run them; see above")


def _section(title: str, lines: dict[str, str]) -> None:
    typer.echo(title)
    for name, value in lines.items():
        typer.echo(f"  {name:24} {value}")


def _version(package: str, remedy: str = "pip install -e .") -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return f"not installed ({remedy})"


def _kernel_lines(info: dict[str, Any]) -> dict[str, str]:
    if info["compiled"]:
        return {"compiled": "yes", "cpu variants": ", ".join(info["cpu_isa"]) or "plain", **_numpy_line()}
    return {"compiled": "no, the slower pure-torch twins are used", "reason": str(info["reason"]), **_numpy_line()}


def _numpy_line() -> dict[str, str]:
    try:
        import nirtrans.numpy_kernels  # noqa: F401
    except ImportError as error:
        return {"numpy kernels": f"no: {error}"}
    return {"numpy kernels": "yes"}


def _cuda_lines(info: dict[str, Any]) -> dict[str, str]:
    import torch

    built = ", ".join(info["cuda_archs"]) if info["cuda"] else "not compiled in (with nvcc: NIRTRANS_CUDA=1 make build)"
    lines = {"kernels for": built, "torch built for CUDA": torch.version.cuda or "no"}
    for index in range(torch.cuda.device_count()):
        lines[f"device {index}"] = "{0.name}, sm_{0.major}{0.minor}".format(torch.cuda.get_device_properties(index))
    return lines if torch.cuda.device_count() else lines | {"device": "none"}


def _cuda_usable(info: dict[str, Any]) -> bool:
    import torch

    return bool(info["cuda"]) and torch.cuda.is_available()


def _raster_lines() -> dict[str, str]:
    import rasterio
    from rasterio.crs import CRS
    from rasterio.errors import CRSError

    lines = {"GDAL": rasterio.__gdal_version__, "PROJ": rasterio.__proj_version__}
    for variable in ("PROJ_LIB", "PROJ_DATA", "GDAL_DATA"):
        if variable in os.environ:
            lines[variable] = f"{os.environ[variable]} (set outside; unset it if coordinate systems fail)"
    try:
        lines["coordinate systems"] = f"work ({CRS.from_epsg(32633).to_string()})"
    except CRSError as error:
        lines["coordinate systems"] = f"broken: {error}; unset PROJ_LIB and PROJ_DATA"
    return lines
