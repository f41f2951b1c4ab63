"""An area of interest on the pixels of a raster: clipped to it, reprojected along its edges, drawn by windows."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nirtrans.errors import InputError
from nirtrans.io.gdal import gdal_reason
from nirtrans.io.geojson import Polygon, Polygons, Ring, read_polygons
from nirtrans.io.geotiff import Raster, Window
from nirtrans.io.transforms import apply

STRAIGHT_PX = 0.01
"""Most that an edge may leave the curve that it stands for."""
SPLIT = 0.4
"""Where edges are tried and cut; in the middle an S-shaped curve would pass for straight."""
MOST_SPLITS = 40
MARGIN = 0.05
"""What is kept around the raster, as a share of its size: its border is curved in other systems."""


@dataclass(frozen=True)
class Area:
    """Polygons in the pixels of one raster.

    Attributes:
        polygons: Columns and rows of their corners, counted from the corner of the raster; what lies far out is cut.
        digest: SHA-256 of the polygons as they were given.
    """

    polygons: tuple[Polygon, ...]
    digest: str

    def inside(self, window: Window) -> NDArray[np.bool_]:
        """Return which pixels of a window have their centre in a polygon, [h, w]; even-odd where one crosses itself."""
        from rasterio.features import rasterize
        from rasterio.transform import Affine

        top, left, height, width = window
        near = [_near(polygon, window) for polygon in self.polygons if _meets(polygon, window)]
        shapes = [_shape(polygon) for polygon in near if polygon]
        if not shapes:
            return np.zeros((height, width), dtype=bool)
        place = Affine.translation(left, top)
        return rasterize(shapes, (height, width), transform=place, default_value=1, dtype="uint8").astype(bool)

    def meets(self, window: Window) -> bool:
        """Tell whether the box around a polygon meets a window."""
        return any(_meets(polygon, window) for polygon in self.polygons)


def read_area(path: Path, raster: Raster) -> Area:
    """Read the polygons of a GeoJSON file and place them on a raster.

    Raises:
        InputError: If there are none, they do not meet the raster, or the raster has no coordinates.
    """
    if raster.crs is None or raster.dataset.gcps[0]:
        raise InputError(f"{raster.path}: has no coordinate system with a transform for --aoi; give --window X,Y,W,H")
    given = read_polygons(path)
    placed = tuple(_placed(path, given, raster))
    area = Area(tuple(polygon for polygon in placed if polygon), given.digest)
    if not area.meets((0, 0, raster.height, raster.width)):
        raise InputError(f"{path}: does not meet {raster.path}; check its coordinates, longitude comes first")
    return area


def _placed(path: Path, given: Polygons, raster: Raster) -> list[Polygon]:
    from rasterio._err import CPLE_BaseError  # what PROJ's refusals become; there is no public name
    from rasterio.crs import CRS
    from rasterio.errors import CRSError, RasterioError

    try:
        crs = CRS.from_user_input(given.crs)
        box = _box_around(raster, crs)
        turns = (-360.0, 0.0, 360.0) if crs.is_geographic else (0.0,)
        moved = [
            tuple(ring + np.array([turn, 0.0]) for ring in polygon) for polygon in given.polygons for turn in turns
        ]
        clipped = [tuple(filter(len, (_clip(ring, box) for ring in polygon))) for polygon in moved]
        return [tuple(_curved(ring, crs, raster) for ring in polygon) for polygon in clipped]
    except (CRSError, UnicodeError):
        raise InputError(f"{path}: its coordinate system {given.crs!r} is not known to PROJ") from None
    except (RasterioError, CPLE_BaseError) as error:
        remedy = "cut it to the surroundings of the scene first"
        raise InputError(f"{path}: cannot be brought to {raster.path} ({gdal_reason(error)}); {remedy}") from None


def _box_around(raster: Raster, crs: Any) -> tuple[float, float, float, float]:
    """Return left, bottom, right, top of a raster in another system with a margin; right > 180 at the antimeridian."""
    from rasterio.warp import transform_bounds

    x, y = apply(raster.transform, np.array([0, 0, 1, 1]) * raster.width, np.array([0, 1, 0, 1]) * raster.height)
    left, bottom, right, top = x.min(), y.min(), x.max(), y.max()
    left, bottom, right, top = transform_bounds(raster.crs, crs, left, bottom, right, top)
    right += 360.0 if right < left else 0.0
    margin_x, margin_y = MARGIN * (right - left), MARGIN * (top - bottom)
    return left - margin_x, bottom - margin_y, right + margin_x, top + margin_y


def _clip(ring: Ring, box: tuple[float, float, float, float]) -> Ring:
    """Cut a ring by the four sides of a box, one after the other (Sutherland and Hodgman 1974); may become empty."""
    for axis, sign, limit in ((0, -1, box[0]), (1, -1, box[1]), (0, 1, box[2]), (1, 1, box[3])):
        kept = sign * (ring[:, axis] - limit) <= 0
        if kept.all():
            continue
        following = np.roll(ring, -1, axis=0)
        crossing = kept != np.roll(kept, -1)
        step = np.where(crossing, following[:, axis] - ring[:, axis], 1.0)
        cuts = ring + ((limit - ring[:, axis]) / step)[:, None] * (following - ring)
        ring = np.stack([ring, cuts], axis=1)[np.stack([kept, crossing], axis=1)]
    return ring


def _curved(ring: Ring, crs: Any, raster: Raster) -> Ring:
    """Bring a ring to pixels, with corners added until no edge leaves the true curve."""
    pixels = _to_pixels(ring, crs, raster)
    for _ in range(MOST_SPLITS):
        cuts = ring + SPLIT * (np.roll(ring, -1, axis=0) - ring)
        true = _to_pixels(cuts, crs, raster)
        straight = pixels + SPLIT * (np.roll(pixels, -1, axis=0) - pixels)
        bent = np.abs(true - straight).max(axis=1) > STRAIGHT_PX
        if not bent.any():
            break
        after = np.flatnonzero(bent) + 1
        ring, pixels = (np.insert(old, after, new[bent], axis=0) for old, new in ((ring, cuts), (pixels, true)))
    return pixels


def _to_pixels(points: Ring, crs: Any, raster: Raster) -> Ring:
    from rasterio.errors import RasterioError
    from rasterio.warp import transform

    x, y = (np.array(values) for values in transform(crs, raster.crs, points[:, 0], points[:, 1]))
    columns, rows = apply(~raster.transform, x, y)
    if not (np.isfinite(columns).all() and np.isfinite(rows).all()):
        raise RasterioError("some corners have no place in it")
    return np.stack([columns, rows], axis=1)


def _moved(polygon: Polygon, x: float) -> Polygon:
    return tuple(ring + np.array([x, 0.0]) for ring in polygon)


def _meets(polygon: Polygon, window: Window) -> bool:
    top, left, height, width = window
    first = np.min([ring.min(axis=0) for ring in polygon], axis=0)
    last = np.max([ring.max(axis=0) for ring in polygon], axis=0)
    return bool(first[0] < left + width and last[0] > left and first[1] < top + height and last[1] > top)


def _near(polygon: Polygon, window: Window) -> Polygon:
    """Leave out corners whose two edges lie on one side of a window: rows in it are crossed as often as before."""
    top, left, height, width = window
    rings = list(polygon)
    for axis, sign, limit in ((0, -1, left), (1, -1, top), (0, 1, left + width), (1, 1, top + height)):
        beyond = [sign * (ring[:, axis] - limit) > 1 for ring in rings]
        spare = [out & np.roll(out, 1) & np.roll(out, -1) for out in beyond]
        rings = [ring[~corners] for ring, corners in zip(rings, spare, strict=True)]
    return tuple(ring for ring in rings if len(ring) > 2)


def _shape(polygon: Polygon) -> dict[str, object]:
    """Return a polygon as rasterio takes it."""
    return {"type": "Polygon", "coordinates": [[*ring.tolist(), ring[0].tolist()] for ring in polygon]}
