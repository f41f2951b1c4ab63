"""From the numbers of a raster to [0, 1].

The source is stretched by physical range if every raster of the run has a known scaling, else by percentiles 2 and 98
of its raster. The target is shown as a picture: bands that are pictures already as they are, known reflectance over a
fixed range, everything else between percentiles 2 and 98 of each band.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nirtrans.data.synthetic import DISPLAY_GAMMA, DISPLAY_TOP
from nirtrans.errors import DataError
from nirtrans.io.bands import Scaling, find_sensor
from nirtrans.io.geotiff import Raster
from nirtrans.io.overview import percentiles, read_overview


@dataclass(frozen=True)
class Stretch:
    """Numbers of the file to [0, 1]: (number - low) / (high - low), clipped, to the power 1 / gamma.

    Attributes:
        low: One number per band.
        high: One number per band.
        gamma: 1 is linear.
        units: Physical values that become 0 and 1, the same for all bands; None if unknown.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]
    gamma: float = 1.0
    units: tuple[float, float] | None = None

    @classmethod
    def physical(cls, scaling: Scaling, low: float, high: float, gamma: float = 1.0) -> "Stretch":
        """Stretch physical values from low to high, expressed in the numbers of the file."""
        pairs = list(zip(scaling.scale, scaling.offset, strict=True))
        bottom, top = (tuple((end - b) / a for a, b in pairs) for end in (low, high))
        return cls(bottom, top, gamma, (low, high))

    def apply(self, numbers: NDArray) -> NDArray[np.float32]:
        """Stretch [C, H, W]."""
        low, high = (np.array(ends, dtype=np.float32)[:, None, None] for ends in (self.low, self.high))
        share = np.clip((numbers.astype(np.float32) - low) / (high - low), 0, 1)
        return share if self.gamma == 1 else share ** np.float32(1 / self.gamma)

    def to_physical(self, shown: NDArray[np.float32]) -> NDArray[np.float32] | None:
        """Undo the stretch of [C, H, W] in [0, 1]; None if units are unknown. What was clipped stays at the ends."""
        if self.units is None:
            return None
        low, high = self.units
        return np.float32(low) + np.float32(high - low) * np.clip(shown, 0, 1) ** np.float32(self.gamma)


def source_stretch(
    raster: Raster, bands: Sequence[int], scaling: Scaling | None, input_range: tuple[float, float] | None
) -> Stretch:
    """Stretch by the given range in physical units, or in plain numbers where those are unknown; else by percentiles.

    Raises:
        DataError: If percentiles are needed and no pixel is valid, or plain numbers lie beyond the range altogether.
    """
    count = len(bands)
    if input_range is not None and scaling is not None:
        return Stretch.physical(scaling, *input_range)
    ends = percentiles(*read_overview(raster, bands))
    if ends is None:
        raise DataError(f"{raster.path}: no valid pixel in the overview; leave it out of the training data")
    if input_range is None:
        return Stretch(ends[:1] * count, ends[1:] * count)
    low, high = input_range
    if ends[0] >= high or ends[1] <= low:
        raise DataError(
            f"{raster.path}: numbers {ends[0]:g} to {ends[1]:g} are all outside the input range {low:g} to {high:g}, "
            "and their scaling is not known; give the sensor or scale and offset of the source"
        )
    return Stretch((low,) * count, (high,) * count)


def target_stretch(raster: Raster, bands: Sequence[int], scaling: Scaling | None, sensor: str | None) -> Stretch:
    """Decide how colours are shown; percentiles go band by band, which takes the blue of the air out of raw numbers.

    Args:
        raster: Where percentiles are taken from.
        bands: Numbers of red, green and blue.
        scaling: Physical units of these bands, if known.
        sensor: Name of the sensor, if known.

    Raises:
        DataError: If percentiles are needed and no pixel is valid.
    """
    true_colour = all(raster.descriptions[band - 1].upper().startswith("TCI") for band in bands)
    brightest = 255.0 if true_colour else find_sensor(sensor).brightest
    if brightest is not None:
        return Stretch((0.0,) * 3, (brightest,) * 3)
    if scaling is not None:
        return Stretch.physical(scaling, 0.0, DISPLAY_TOP, DISPLAY_GAMMA)
    values, valid = read_overview(raster, bands)
    if not valid.any():
        raise DataError(f"{raster.path}: no valid pixel in the overview; leave it out of the training data")
    low, high = np.percentile(values[:, valid], (2, 98), axis=1)
    return Stretch(tuple(low.tolist()), tuple(np.maximum(high, low + 1e-6).tolist()), DISPLAY_GAMMA)
