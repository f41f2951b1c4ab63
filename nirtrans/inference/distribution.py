"""What a system thinks of each pixel beside the colour that it chooses: the likeliest bins of its distribution."""

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from nirtrans.inference.colorizer import Colorizer
from nirtrans.inference.fill import fill_invalid
from nirtrans.inference.scene import ArrayScene
from nirtrans.inference.tiling import mirrored, padded_size
from nirtrans.models.chroma_system import ChromaSystem


def rank_bins(colorizer: Colorizer, scene: ArrayScene, *, most: int) -> NDArray[np.int64]:
    """Return the likeliest bins of each pixel, best first, [most, H, W].

    The network sees the picture at the size of its training; each pixel has the distribution of the cell it falls in.

    Args:
        colorizer: Of a system with `bins`.
        scene: A gray picture.
        most: Bins to return per pixel.
    """
    system = colorizer.system
    assert isinstance(system, ChromaSystem)
    picture = torch.from_numpy(fill_invalid(scene.pixels, scene.valid))[None]
    height, width = shown_size(scene.height, scene.width, colorizer.info.run.data.short_side_px)
    seen = F.interpolate(picture, size=(height, width), mode="bilinear", antialias=True).clamp(0, 1)
    stride = colorizer.info.stride_px
    rows, columns = (torch.from_numpy(mirrored(0, padded_size(size, stride), size)) for size in (height, width))
    with torch.inference_mode():
        logits = system.predict_logits(seen[..., rows, :][..., columns].to(colorizer.device))
    best = logits[0].topk(most, dim=0).indices.cpu().numpy()
    down = _cells(scene.height, height, len(rows), best.shape[1])
    right = _cells(scene.width, width, len(columns), best.shape[2])
    return best[:, down[:, None], right]


def shown_size(height: int, width: int, short_side_px: int | None) -> tuple[int, int]:
    """Return the size at which a network sees a picture: its shorter side as in training, or as it is."""
    if short_side_px is None:
        return height, width
    scale = short_side_px / min(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def _cells(pixels: int, seen: int, padded: int, cells: int) -> NDArray[np.int64]:
    """Return the cell that the middle of each pixel falls in, along one side."""
    return ((np.arange(pixels) + 0.5) * seen / pixels * cells / padded).astype(np.int64)
