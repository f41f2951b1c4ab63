"""Random options of `nirtrans colorize`: a few, in any combination, mostly ones that fit the raster."""

from dataclasses import dataclass, field

from rasterio.transform import Affine

from .sources import Rng, chance, pick

LARGE_PX = 350_000
"""Of larger rasters a part is made, and no statistics are taken whole."""
HUGE_PX = 10**8


@dataclass
class Choice:
    """Options of one call.

    Attributes:
        norm: Of the weights.
        units: What the weights learned from.
        shards: Among how many processes the raster is divided; 1 for none.
        flags: Value by flag; None for flags without.
        known: Whether statistics are given, since a first pass over the raster would take hours.
        box: Top, left, height and width of what --bbox names.
        otherwise: Flags that must not change a byte of the result; None where that is not tried.
    """

    norm: str = "batch"
    units: str = "percentile"
    shards: int = 1
    flags: dict[str, str | None] = field(default_factory=dict)
    known: bool = False
    box: tuple[int, int, int, int] | None = None
    otherwise: list[str] | None = None

    def arguments(self) -> list[str]:
        """Return the flags as words."""
        return [word for pair in self.flags.items() for word in pair if word is not None]

    def number(self, flag: str) -> float | None:
        """Return the number that a flag is given."""
        text = self.flags.get(flag)
        return None if text is None else float(text)


def choose(rng: Rng, height: int, width: int, count: int) -> Choice:
    """Choose options for a raster of this size."""
    choice = Choice(pick(rng, ("batch", "instance", "none", "group")), shards=pick(rng, (1, 1, 1, 1, 2, 3)))
    choice.units = "reflectance" if chance(rng, 0.2) else "percentile"
    for choose_some in (_choose_values, _choose_cut, _choose_form, _choose_work):
        choose_some(choice.flags, rng, height, width, count)
    if chance(rng, 0.3):
        choice.otherwise = ["--threads", pick(rng, ("1", "2", "4")), "--batch", pick(rng, ("1", "3"))]
        choice.otherwise += ["--readers", pick(rng, ("1", "3")), "--queue", pick(rng, ("1", "7"))]
    return choice


def _choose_values(flags: dict[str, str | None], rng: Rng, height: int, width: int, count: int) -> None:
    if chance(rng, 0.75):
        most = count if chance(rng, 0.95) else count + 2
        flags["--bands"] = f"nir={rng.integers(1, most + 1)}"
    if chance(rng, 0.2):
        flags["--sensor"] = pick(rng, ("s2-l2a", "landsat-c2-l2", "naip", "generic"))
    if chance(rng, 0.3):
        flags["--scale"] = pick(rng, ("1e-4", "2.75e-5", "-1", "0", "1"))
    if chance(rng, 0.2):
        flags["--offset"] = pick(rng, ("0", "-0.1", "3"))
    if chance(rng, 0.5):
        ranges = ("0,4000", "0,1", "-0.1,0.4", "percentile", "percentile:0,100", "percentile:10,60", "100,200", "5,4")
        flags["--input-range"] = pick(rng, ranges)


def _choose_cut(flags: dict[str, str | None], rng: Rng, height: int, width: int, count: int) -> None:
    block = int(pick(rng, (16, 32, 48, 64, 100))) if chance(rng, 0.7) else None
    if block is not None:
        flags["--block"] = str(block)
    if chance(rng, 0.8):
        times = int(rng.integers(1, 5))
        flags["--tile"] = pick(rng, ("0", "auto", "256")) if block is None else str(block * times)
    if chance(rng, 0.2):
        flags["--halo"] = pick(rng, ("auto", "0", "24", "28", "7", "60"))
    if chance(rng, 0.3):
        top, left = int(rng.integers(height)), int(rng.integers(width))
        past = 0 if chance(rng, 0.9) else 5
        tall, wide = (int(rng.integers(1, most + 1)) for most in (height - top, width - left))
        flags["--window"] = f"{left},{top},{wide + past},{tall}"


def _choose_form(flags: dict[str, str | None], rng: Rng, height: int, width: int, count: int) -> None:
    if chance(rng, 0.4):
        flags["--dtype"] = pick(rng, ("uint8", "uint16", "float32"))
    if chance(rng, 0.4):
        flags["--mask"] = pick(rng, ("internal", "alpha", "nodata"))
    if chance(rng, 0.5):
        flags["--compress"] = pick(rng, ("zstd", "deflate", "lzw", "jpeg", "none"))
    if chance(rng, 0.1):
        flags["--level"] = pick(rng, ("1", "9", "12"))
    if chance(rng, 0.3):
        flags["--bigtiff"] = pick(rng, ("yes", "no", "if_safer"))
    if chance(rng, 0.15):
        flags["--overviews"] = pick(rng, ("average", "nearest", "none"))
    if chance(rng, 0.12):
        flags["--cog"] = None
    if chance(rng, 0.2):
        flags["--threads"] = pick(rng, ("1", "3"))


def _choose_work(flags: dict[str, str | None], rng: Rng, height: int, width: int, count: int) -> None:
    if chance(rng, 0.15):
        flags["--mask-halo"] = pick(rng, ("0", "1", "5", "40"))
    if chance(rng, 0.1):
        flags["--precision"] = pick(rng, ("fp32", "bf16", "fp16"))
    if chance(rng, 0.1):
        flags["--norm-stats"] = pick(rng, ("scene", "tile", "frozen"))
    if chance(rng, 0.1):
        flags["--cachemax"] = pick(rng, ("1", "64", "auto"))


def name_by_bounds(choice: Choice, transform: Affine, columns: int) -> None:
    """Name the window by coordinates instead, of a raster whose axes are not turned."""
    left, top, width, height = map(int, str(choice.flags.pop("--window")).split(","))
    width = min(width, columns - left)
    corners = [transform * corner for corner in ((left, top), (left + width, top + height))]
    (x0, x1), (y0, y1) = (sorted(axis) for axis in zip(*corners, strict=True))
    choice.flags["--bbox"] = f"{x0!r},{y0!r},{x1!r},{y1!r}"
    choice.box = (top, left, height, width)


def cautious(rng: Rng, height: int, width: int, count: int) -> Choice:
    """Choose plain options for a raster that is damaged; of a huge one a corner or a part."""
    choice = Choice(pick(rng, ("batch", "instance")))
    choice.flags = {"--bands": "nir=1", "--tile": "64", "--block": "32"}
    if chance(rng, 0.5):
        choice.flags["--input-range"] = "0,4000"
    if height * width > LARGE_PX:
        top, left = (0, 0) if chance(rng, 0.5) else (int(rng.integers(height)), int(rng.integers(width)))
        choice.flags["--window"] = f"{left},{top},{min(width - left, 90)},{min(height - top, 90)}"
    if height * width * count > HUGE_PX:
        choice.norm, choice.known = "batch", True
    return choice
