"""What a system thinks of each pixel beside the colour that it chooses: the likeliest bins of its distribution."""

import numpy as np
import torch
from numpy.typing import NDArray

from nirtrans.inference.colorizer import Colorizer
from nirtrans.inference.photo import GuidanceFor, mirrored_to, shrink
from nirtrans.inference.scene import ArrayScene
from nirtrans.models.chroma_system import ChromaSystem


def rank_bins(
    colorizer: Colorizer, scene: ArrayScene, *, most: int, guidance_for: GuidanceFor | None = None
) -> NDArray[np.int64]:
    """Return the likeliest bins of each pixel, best first, [most, H, W].

    The network sees the picture as when it colours it; each pixel has the distribution of the cell it falls in.

    Args:
        colorizer: Of a system with `bins`.
        scene: A gray picture.
        most: Bins to return per pixel.
        guidance_for: See `nirtrans.inference.photo.predict_photo`.
    """
    system = colorizer.system
    assert isinstance(system, ChromaSystem)
    (height, width), padded = colorizer.photo_model().seen_size(scene.height, scene.width)
    small = shrink(scene.pixels, (height, width), scene.valid)
    guidance = guidance_for((height, width)) if guidance_for else None
    seen, hints = mirrored_to(padded, small, guidance)
    with torch.inference_mode():
        logits = system.predict_logits(seen.to(colorizer.device), hints.to(colorizer.device) if hints else None)
    best = logits[0].topk(most, dim=0).indices.cpu().numpy()
    down = _cells(scene.height, height, padded[0], best.shape[1])
    right = _cells(scene.width, width, padded[1], best.shape[2])
    return best[:, down[:, None], right]


def _cells(pixels: int, seen: int, padded: int, cells: int) -> NDArray[np.int64]:
    """Return the cell that the middle of each pixel falls in, along one side."""
    return ((np.arange(pixels) + 0.5) * seen / pixels * cells / padded).astype(np.int64)
