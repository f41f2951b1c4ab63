"""One case: a raster, options, a call of the command, and what became of it."""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import rasterio
from tiny_weights import tiny_weights

from nirtrans.cli.app import run
from nirtrans.config import Preprocessing
from nirtrans.inference.colorizer import Colorizer, load_colorizer
from nirtrans.inference.scene_statistics import SceneStatistics, write_statistics

from .choices import Choice, cautious, choose, name_by_bounds
from .damage import damaged, numbers
from .oracle import Wrong, check
from .sources import Plan, chance, make_plan, write_source

RULES = {
    "percentile": Preprocessing(kind="raster", units="percentile"),
    "reflectance": Preprocessing(kind="raster", units="reflectance", input_range=(0.0, 0.5)),
}
PAST_HANDLERS = "_tiffSeekProc: "
"""What libtiff prints itself when a position exceeds 63 bits, past every handler of GDAL and rasterio."""
READ_OFTEN = """
import hashlib, sys, numpy, rasterio
for order in (1, -1, 1, -1):
    with rasterio.open(sys.argv[1]) as given:
        bands = [given.read(band) for band in given.indexes[::order]]
        print(hashlib.md5(numpy.stack(bands[::order]).tobytes()).hexdigest())
"""
"""Digests of the same pixels, read again and again and in another order."""
MOST_BYTES = 700 * 2**20
"""Memory that a case may add to what the process has had before."""


@dataclass
class Verdict:
    """What became of a case.

    Attributes:
        seed: Its number.
        outcome: agrees, refused, failed, finding, or unsure where GDAL itself reads a damaged file now so, now so.
        detail: The line on stderr, or what is wrong.
        about: Raster, damage and options in words.
    """

    seed: int
    outcome: str
    detail: str = ""
    about: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return asdict(self)


@cache
def weights(norm: str, units: str) -> Path:
    """Return a file of weights."""
    return tiny_weights(norm, RULES[units])


@cache
def colorizer_of(norm: str, units: str) -> Colorizer:
    """Return the oracle's own copy of the weights."""
    return load_colorizer(weights(norm, units), device="cpu")


@cache
def statistics_of(norm: str, units: str) -> Path:
    """Return a file of statistics of some scene."""
    path = weights(norm, units).with_name("statistics.json")
    digest = colorizer_of(norm, units).digest
    write_statistics(path, SceneStatistics(weights_sha256=digest, input_range=(0.0, 4000.0), fill=False))
    return path


def run_case(seed: int) -> Verdict:
    """Make the raster and the options of a case, colorize, and judge; even cases are damaged rasters."""
    rng = numbers(seed)
    folder = Path(tempfile.mkdtemp(prefix=f"fuzz-{seed}-"))
    try:
        plan = make_plan(rng)
        source = write_source(folder / "in.tif", rng, plan)
        about = f"{plan.dtype} {plan.count} x {plan.height} x {plan.width} {plan.profile}"
        if seed % 2 == 0:
            content, damage = damaged(source.read_bytes(), rng)
            source.write_bytes(content)
            choice = cautious(rng, *_claimed_size(source))
            about += f" {damage}"
        else:
            choice = choose(rng, plan.height, plan.width, plan.count)
            if chance(rng, 0.5):
                _make_agreeable(choice, plan)
            transform = plan.profile.get("transform")
            if transform and not transform.b and "--window" in choice.flags and chance(rng, 0.4):
                name_by_bounds(choice, transform, plan.width)
        verdict = _judge(seed, source, choice)
        verdict.about = f"{about} | {choice.norm} {choice.units} {choice.shards} {' '.join(choice.arguments())}"
        return verdict
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _make_agreeable(choice: Choice, plan: Plan) -> None:
    """Leave out what contradicts the raster or the rest, so that enough cases come to colours."""
    for flag in ("--halo", "--level", "--sensor", "--precision", "--norm-stats"):
        choice.flags.pop(flag, None)
    choice.flags["--bands"] = f"nir={1 + plan.height % plan.count}"
    choice.flags["--compress"] = "zstd"
    choice.flags["--mask"] = "internal" if choice.flags.get("--dtype") == "float32" else choice.flags.get("--mask")
    if choice.flags["--mask"] is None:
        del choice.flags["--mask"]
    if choice.flags.get("--input-range") == "5,4":
        del choice.flags["--input-range"]
    if choice.flags.get("--block") == "100":
        choice.flags |= {"--block": "64", "--tile": "128"}
    if choice.units == "reflectance":
        choice.flags.setdefault("--scale", "1e-4")


def _claimed_size(source: Path) -> tuple[int, int, int]:
    """Return the height, width and bands that rasterio sees, or those of one pixel if it sees no raster."""
    try:
        with rasterio.open(source) as given:
            return given.height, given.width, given.count
    except rasterio.errors.RasterioError:
        return 1, 1, 1


def _judge(seed: int, source: Path, choice: Choice) -> Verdict:
    target, before = source.with_name("out.tif"), _peak_bytes()
    code, lines = _call(source, target, choice)
    grown = _peak_bytes() - before
    there = {path.name for path in source.parent.iterdir()} - {source.name}
    finding = _complaint(code, lines, there)
    if not finding and grown > MOST_BYTES + 2 * _block_bytes(source):
        finding = f"memory grew by {grown / 2**20:.0f} MB"
    if not finding and code == 0:
        try:
            check(source, target, choice, colorizer_of(choice.norm, choice.units))
        except (Wrong, rasterio.errors.RasterioError) as error:
            finding = f"{type(error).__name__}: {error.__cause__ or error}"
            if seed % 2 == 0 and not _reads_alike(source):
                return Verdict(seed, "unsure", finding)
    if not finding and code == 0 and choice.otherwise:
        finding = _compare_bytes(source, target, choice)
    detail = next((line for line in lines if line.startswith("error:")), "")
    if finding:
        return Verdict(seed, "finding", f"{finding} [{code}: {' / '.join(lines)[:600]}]")
    return Verdict(seed, {0: "agrees", 2: "refused", 3: "failed"}[code], detail.replace(str(source.parent), ""))


def _reads_alike(source: Path) -> bool:
    """Tell whether rasterio reads the same, whatever memory held before.

    Of a damaged strip, libtiff may decode a part, leave the rest of the memory as it was, and report no error.
    """
    call = [sys.executable, "-W", "ignore", "-c", READ_OFTEN, str(source)]
    fills = [{**os.environ, "MALLOC_PERTURB_": fill} for fill in ("1", "170")]
    seen = [subprocess.run(call, env=env, capture_output=True, text=True).stdout.split() for env in fills]
    return len({digest for digests in seen for digest in digests}) == 1


def _block_bytes(source: Path) -> int:
    """Return the bytes that one block claims to have, since GDAL reads no less; 0 if it is no raster."""
    try:
        with rasterio.open(source) as given:
            height, width = given.block_shapes[0]
            return height * width * given.count * 8
    except rasterio.errors.RasterioError:
        return 0


def _compare_bytes(source: Path, target: Path, choice: Choice) -> str:
    """Make the raster again by other threads; return what differs, or nothing."""
    again = replace(choice, shards=1, flags=dict(choice.flags))
    again.flags |= dict(zip(choice.otherwise[::2], choice.otherwise[1::2], strict=True))  # type: ignore[index]
    other = source.with_name("again.tif")
    code, lines = _call(source, other, again)
    if code:
        return f"done otherwise it fails: {' / '.join(lines)}"
    return "" if target.read_bytes() == other.read_bytes() else f"other bytes by {choice.otherwise}"


def _complaint(code: int, lines: list[str], there: set[str]) -> str:
    """Return what is wrong with how the command ended, or nothing."""
    errors = [line for line in lines if not line.startswith("warning: ")]
    if code not in (0, 2, 3):
        return f"exit code {code}"
    if len(errors) != (code != 0) or not all(line.startswith("error: ") for line in errors):
        return f"{len(errors)} lines on stderr"
    if errors and ("unexpected" in errors[0] or "out of memory" in errors[0]):
        return "not an error of ours"
    allowed: set[str] = {"out.tif"} if code == 0 else {"out.tif.parts"} if code == 3 else set()
    if not there <= allowed or (code == 0 and not there):
        return f"leaves {sorted(there)}"
    return ""


def _call(source: Path, target: Path, choice: Choice) -> tuple[int, list[str]]:
    """Run the command, for each shard and once more if there are several; stop at the first that fails."""
    words = ["colorize", source, target, "--weights", weights(choice.norm, choice.units), "--device", "cpu"]
    words += ["--progress", "none", *choice.arguments()]
    if choice.known:
        words += ["--stats-in", statistics_of(choice.norm, choice.units)]
    shards = [["--shard", f"{n}/{choice.shards}"] for n in range(choice.shards, 0, -1)] + [["--resume"]]
    code, lines = 0, []
    for more in shards if choice.shards > 1 else [[]]:
        with _captured(source.with_name("stderr.txt")) as said:
            code = run([str(word) for word in [*words, *more]])
        lines = said
        if code:
            break
    return code, lines


@contextmanager
def _captured(path: Path) -> Iterator[list[str]]:
    """Yield a list that holds the lines of stderr afterwards, those of libraries included; stdout is dropped."""
    lines: list[str] = []
    kept = [os.dup(1), os.dup(2)]
    with path.open("w+b") as err, Path(os.devnull).open("wb") as out:
        os.dup2(out.fileno(), 1)
        os.dup2(err.fileno(), 2)
        try:
            yield lines
        finally:
            for number, old in enumerate(kept, start=1):
                os.dup2(old, number)
                os.close(old)
            said = path.read_text(errors="replace").splitlines()
            lines += [line for line in said if not line.startswith(PAST_HANDLERS)]
            path.unlink()


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
