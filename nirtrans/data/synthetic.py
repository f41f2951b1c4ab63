"""Made-up scenes of red, green, blue and near-infrared reflectance: what runs without any data train on.

A scene is terrain with lakes and a river, forest, meadow, fields, bare soil, a town and sometimes snow, lit from one
side. Near infrared alone does not give the colour (soil, roofs and trees overlap), but texture and shape around a pixel
do.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nirtrans.data.landscape import Cover, Field, fractal, mix, parcels, ramp, smooth, spectrum
from nirtrans.io.atomic import atomic_path, make_folder, write_text
from nirtrans.io.gdal import gdal_quiet
from nirtrans.io.images import write_image

DISPLAY_TOP = 0.3
"""Visible reflectance shown as full brightness."""
DISPLAY_GAMMA = 1.4
"""Exponent 1 / gamma lifts the dark tones of vegetation."""
NIR_TOP = 0.6
"""Near-infrared reflectance shown as full brightness."""
RASTER_SCALE = 1e-4
"""Reflectance per number of a written raster."""
PIXEL_M = 10.0
CORNER = (392_000.0, 5_820_000.0)
"""Easting and northing of the upper left corner of a written raster, in UTM zone 33 north."""
BANDS = ("red", "green", "blue", "nir")


@dataclass(frozen=True)
class SyntheticScene:
    """One landscape.

    Attributes:
        red: Reflectance, [H, W], float32, [0, 1]; `green`, `blue` and `nir` likewise.
        cover: Land cover as numbers of `Cover`, [H, W], uint8.
    """

    red: Field
    green: Field
    blue: Field
    nir: Field
    cover: NDArray[np.uint8]

    def rgb_picture(self) -> Field:
        """Return the scene as it is displayed, [3, H, W], [0, 1]."""
        return display_rgb(np.stack([self.red, self.green, self.blue]))

    def nir_picture(self) -> Field:
        """Return near infrared as it is displayed, [1, H, W], [0, 1]."""
        return np.clip(self.nir[None] / NIR_TOP, 0, 1)


def display_rgb(reflectance: Field) -> Field:
    """Stretch visible reflectance 0 to 0.3 to display values in [0, 1] with a fixed gamma, any shape."""
    return np.clip(reflectance / DISPLAY_TOP, 0, 1) ** np.float32(1 / DISPLAY_GAMMA)


def synthetic_scene(seed: int, size: tuple[int, int] = (256, 256)) -> SyntheticScene:
    """Make one landscape; equal seed and size give an equal scene.

    Args:
        seed: Decides everything.
        size: Height and width in pixels.
    """
    rng = np.random.default_rng((0x5CE7E, seed))
    terrain = fractal(rng, size, slope=1.9)
    moisture = fractal(rng, size, slope=1.6)
    cover = np.full(size, Cover.MEADOW, dtype=np.uint8)
    bands = _meadow(rng, size, moisture)
    for kind, where, layer in (
        (Cover.CROPS, *_crops(rng, size, terrain)),
        (Cover.SOIL, *_soil(rng, size, moisture)),
        (Cover.FOREST, *_forest(rng, size, moisture)),
        (Cover.BUILT, *_town(rng, size, terrain)),
        (Cover.SNOW, *_snow(rng, size, terrain)),
    ):
        cover[where] = kind
        bands = np.where(where, layer, bands)
    bands = bands * _shading(rng, terrain)
    water, layer = _water(rng, size, terrain)
    cover[water] = Cover.WATER
    bands = smooth(np.where(water, layer, bands)) + _haze(rng)
    bands = bands * (1 + 0.012 * rng.standard_normal(bands.shape, dtype=np.float32))
    red, green, blue, nir = np.clip(bands, 0.002, 1).astype(np.float32)
    return SyntheticScene(red, green, blue, nir, cover)


def _meadow(rng: np.random.Generator, size: tuple[int, int], moisture: Field) -> Field:
    dryness = ramp(-moisture + 0.5 * fractal(rng, size, slope=0.8), -0.4, 1.6)
    return mix("green meadow", "dry meadow", dryness) * (1 + 0.06 * fractal(rng, size, slope=0.4))


def _crops(rng: np.random.Generator, size: tuple[int, int], terrain: Field) -> tuple[NDArray[np.bool_], Field]:
    """Fields on flat ground: one ripeness per field, rows along one side, bare or green borders."""
    fields = parcels(rng, size, mean_px=rng.uniform(26, 48))
    ripeness = np.where(fields.draw(rng) < 0.5, 0.25 * fields.draw(rng), 0.67 + 0.33 * fields.draw(rng))
    period_px = 3.0 + 3.0 * fields.draw(rng)
    direction = np.where(fields.draw(rng) < 0.5, fields.across, fields.along)
    rows = 0.10 * np.sin(2 * np.pi * direction / period_px)
    layer = mix("green crops", "ripe crops", ripeness) * (0.85 + 0.3 * fields.draw(rng)) * (1 + rows)
    layer = np.where(fields.edge_px < 1.5, spectrum("dry meadow"), layer)
    where = (np.abs(terrain) < 0.9) & (fields.draw(rng) < 0.75)
    return where, layer.astype(np.float32)


def _soil(rng: np.random.Generator, size: tuple[int, int], moisture: Field) -> tuple[NDArray[np.bool_], Field]:
    """Bare ground where it is dry, and ploughed fields: smooth, without rows."""
    fields = parcels(rng, size, mean_px=rng.uniform(24, 40))
    redness = ramp(fields.draw(rng) + 0.3 * fractal(rng, size, slope=1.5), 0.1, 0.9)
    layer = mix("grey soil", "red soil", redness) * (0.8 + 0.35 * fields.draw(rng))
    sand = moisture < -1.5
    layer = np.where(sand, spectrum("sand"), layer) * (1 + 0.03 * fractal(rng, size, slope=1.0))
    return sand | ((fields.draw(rng) < 0.22) & (moisture < 0.4)), layer


def _forest(rng: np.random.Generator, size: tuple[int, int], moisture: Field) -> tuple[NDArray[np.bool_], Field]:
    """Trees where it is moist: rough crowns with shadows between them, conifers and broadleaf in patches."""
    kind = ramp(fractal(rng, size, slope=1.4), -0.3, 0.3)
    crowns = fractal(rng, size, slope=0.5, coarsest_px=9)
    layer = mix("conifers", "broadleaf", kind) * np.clip(1 + 0.30 * crowns, 0.3, 1.8)
    return moisture + 0.25 * fractal(rng, size, slope=0.8) > rng.uniform(0.3, 0.8), layer


def _town(rng: np.random.Generator, size: tuple[int, int], terrain: Field) -> tuple[NDArray[np.bool_], Field]:
    """A street grid with houses in gardens; red roofs, concrete and yards."""
    blocks = parcels(rng, size, mean_px=rng.uniform(9, 14))
    roof = blocks.draw(rng)
    brightness = 0.75 + 0.5 * blocks.draw(rng)
    layer = np.where(roof < 0.45, spectrum("red roof"), spectrum("concrete")) * brightness
    layer = np.where((roof > 0.8) | (blocks.edge_px < 3.0), mix("green meadow", "broadleaf", blocks.draw(rng)), layer)
    layer = np.where(blocks.edge_px < 1.3, spectrum("asphalt"), layer)
    centre = fractal(rng, size, slope=2.2) - 0.5 * np.abs(terrain)
    return centre > rng.uniform(0.9, 1.6), layer


def _snow(rng: np.random.Generator, size: tuple[int, int], terrain: Field) -> tuple[NDArray[np.bool_], Field]:
    """Snow on the heights of every fifth scene or so."""
    line = rng.uniform(0.9, 1.5) if rng.random() < 0.2 else np.inf
    layer = spectrum("snow") * (1 + 0.04 * fractal(rng, size, slope=0.8))
    return terrain + 0.15 * fractal(rng, size, slope=0.7) > line, layer


def _water(rng: np.random.Generator, size: tuple[int, int], terrain: Field) -> tuple[NDArray[np.bool_], Field]:
    """Lakes in the hollows and a river that follows the zero line of a smooth field."""
    turbidity = ramp(fractal(rng, size, slope=2.0), -1.0, 2.0) * rng.uniform(0.2, 1.0)
    layer = mix("clear water", "turbid water", turbidity) * (1 + 0.03 * fractal(rng, size, slope=0.2))
    course = fractal(rng, size, slope=2.5)
    steepness = np.hypot(*np.gradient(course)) + 1e-4
    river = np.abs(course) / steepness < rng.uniform(1.5, 4.0)
    return (terrain < rng.uniform(-1.9, -1.1)) | (river & (rng.random() < 0.6)), layer


def _shading(rng: np.random.Generator, terrain: Field) -> Field:
    """Brightness of slopes under a low sun, around 1, [H, W]."""
    azimuth = rng.uniform(0, 2 * np.pi)
    down, right = np.gradient(terrain)
    slope = (down * np.sin(azimuth) + right * np.cos(azimuth)) / (np.hypot(down, right).std() + 1e-6)
    return np.clip(1 + rng.uniform(0.03, 0.10) * slope, 0.6, 1.4)


def _haze(rng: np.random.Generator) -> Field:
    """Light scattered by the air, strongest in blue, [4, 1, 1]."""
    strength = rng.uniform(0, 0.015)
    return (strength * np.array([0.5, 0.75, 1.0, 0.15], dtype=np.float32))[:, None, None]


def write_synthetic_pairs(folder: Path, *, scenes: int, size: tuple[int, int] = (256, 256), seed: int = 0) -> None:
    """Write scenes as registered 8-bit pairs nir/NAME.png and rgb/NAME.png with a scenes.csv.

    Args:
        folder: Created if absent.
        scenes: How many.
        size: Height and width, pixels.
        seed: Seed of the first scene; the others follow.
    """
    lines = ["id,scene"]
    for name in ("nir", "rgb"):
        make_folder(folder / name)
    for number in range(seed, seed + scenes):
        scene, name = synthetic_scene(number, size), f"scene{number:04d}"
        write_image(folder / "nir" / f"{name}.png", _to_bytes(scene.nir_picture()))
        write_image(folder / "rgb" / f"{name}.png", _to_bytes(scene.rgb_picture()))
        lines.append(f"{name},{name}")
    write_text(folder / "scenes.csv", "\n".join(lines) + "\n")


def _to_bytes(picture: Field) -> NDArray[np.uint8]:
    """Round [C, H, W] in [0, 1] to [H, W, C], uint8."""
    return np.round(picture * 255).astype(np.uint8).transpose(1, 2, 0)


def write_synthetic_raster(
    path: Path, *, size: tuple[int, int] = (512, 512), seed: int = 0, nodata_hole: bool = True
) -> None:
    """Write one scene as a georeferenced raster: red, green, blue, nir as uint16 reflectance x 10000 with GDAL scales.

    Args:
        path: A .tif; created or replaced.
        size: Height and width, pixels of 10 m.
        seed: Seed of the scene.
        nodata_hole: Leave out an oval and a slanted edge, as 0, the nodata value.
    """
    import rasterio

    scene = synthetic_scene(seed, size)
    numbers = np.round(np.stack([scene.red, scene.green, scene.blue, scene.nir]) / RASTER_SCALE).astype(np.uint16)
    if nodata_hole:
        numbers[:, _hole(size)] = 0
    form = {
        "driver": "GTiff",
        "tiled": True,
        "blockxsize": 256,
        "blockysize": 256,
        "compress": "deflate",
        "predictor": 2,
    }
    place = {"crs": "EPSG:32633", "nodata": 0}
    place["transform"] = rasterio.Affine(PIXEL_M, 0, CORNER[0], 0, -PIXEL_M, CORNER[1])
    shape = {"count": len(BANDS), "height": size[0], "width": size[1], "dtype": "uint16"}
    with (
        atomic_path(path) as temporary,
        gdal_quiet(),
        rasterio.open(temporary, "w", **form, **place, **shape) as target,
    ):
        target.write(numbers)
        target.descriptions = BANDS
        target.scales = (RASTER_SCALE,) * len(BANDS)


def _hole(size: tuple[int, int]) -> NDArray[np.bool_]:
    y, x = (axis / length for axis, length in zip(np.ogrid[: size[0], : size[1]], size, strict=True))
    oval = ((x - 0.62) / 0.11) ** 2 + ((y - 0.36) / 0.07) ** 2 < 1
    return oval | (x + 0.15 * y < 0.08)
