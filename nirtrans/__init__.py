"""Translate near-infrared, grayscale and line-art pictures and rasters to RGB.

Importing the package loads neither torch nor rasterio; `load` and `list_models` do when called.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nirtrans.inference.colorizer import Colorizer

__version__ = "0.1.0"
__all__ = ["__version__", "list_models", "load"]


def load(weights: str, *, device: str = "auto") -> "Colorizer":
    """Load a weights file (or a shipped name) for colorizing in Python.

    Args:
        weights: Path of a `.safetensors` file written by training, or a shipped name.
        device: auto, cpu, cuda or cuda:N.

    Returns:
        A colorizer whose `colorize` takes NumPy HxW / HxWx1 or torch [N, C, H, W] and returns the same kind.

    Raises:
        CheckpointError: If the file is damaged, foreign or of another version.
        UnknownNameError: If it is neither a file nor a shipped name.
    """
    from nirtrans.inference.colorizer import load_colorizer

    return load_colorizer(weights, device=device)


def list_models(domain: str | None = None) -> list[str]:
    """Return the names of all models, or of those that accept `domain` (nir, gray or lineart)."""
    from nirtrans.models import list_models as registered_models

    return registered_models(domain)
