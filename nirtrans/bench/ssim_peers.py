"""SSIM and MS-SSIM as other libraries offer them, called as their documents say, set to 11 taps, sigma 1.5."""

from collections.abc import Callable
from typing import Any

import numpy as np
from torch import Tensor

from nirtrans.bench.case import installed
from nirtrans.bench.timing import Contestant

Measure = Callable[[Tensor, Tensor], Any]

SSIM = {"pytorch-msssim": "pytorch_msssim", "kornia": "kornia", "torchmetrics": "torchmetrics", "piq": "piq"}
MS_SSIM = {"pytorch-msssim": "pytorch_msssim", "torchmetrics": "torchmetrics", "piq": "piq"}
ARRAYS = {"scikit-image": "skimage"}
# They average a map with reflected borders: near ours in value, but another measure.
OTHER_BORDERS = " (reflect padding)"


def ssim_peers() -> dict[str, Measure]:
    """Import the torch libraries that are installed; each function returns the mean SSIM."""
    peers: dict[str, Measure] = {}
    if installed("pytorch_msssim"):
        import pytorch_msssim

        peers["pytorch-msssim"] = lambda x, y: pytorch_msssim.ssim(x, y, data_range=1.0)
    if installed("kornia"):
        import kornia.metrics

        peers["kornia valid"] = lambda x, y: kornia.metrics.ssim(x, y, 11, padding="valid").mean()
        peers[f"kornia same{OTHER_BORDERS}"] = lambda x, y: kornia.metrics.ssim(x, y, 11, padding="same").mean()
    if installed("torchmetrics"):
        from torchmetrics.functional.image import structural_similarity_index_measure

        peers[f"torchmetrics{OTHER_BORDERS}"] = lambda x, y: structural_similarity_index_measure(x, y, data_range=1.0)
    if installed("piq"):
        import piq

        peers["piq"] = lambda x, y: piq.ssim(x, y, data_range=1.0, downsample=False)
    return peers


def ms_ssim_peers() -> dict[str, Measure]:
    """Import the torch libraries that are installed; each function returns the mean MS-SSIM."""
    peers: dict[str, Measure] = {}
    if installed("pytorch_msssim"):
        import pytorch_msssim

        peers["pytorch-msssim"] = lambda x, y: pytorch_msssim.ms_ssim(x, y, data_range=1.0)
    if installed("torchmetrics"):
        from torchmetrics.functional.image import multiscale_structural_similarity_index_measure as measure

        peers[f"torchmetrics{OTHER_BORDERS}"] = lambda x, y: measure(x, y, data_range=1.0, normalize="relu")
    if installed("piq"):
        import piq

        peers["piq"] = lambda x, y: piq.multi_scale_ssim(x, y, data_range=1.0)
    return peers


def array_peers(image: Tensor, target: Tensor) -> list[Contestant]:
    """Make the contestant that measures NumPy pictures, [H, W, 3], one after the other."""
    if not installed("skimage"):
        return []
    from skimage.metrics import structural_similarity

    pairs = [
        [np.ascontiguousarray(one.movedim(0, -1).numpy()) for one in pair] for pair in zip(image, target, strict=True)
    ]
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}

    def measure() -> Tensor:
        values = [structural_similarity(x, y, channel_axis=-1, data_range=1.0, **options) for x, y in pairs]
        return image.new_tensor(np.mean(values))

    return [Contestant("scikit-image", measure)]
