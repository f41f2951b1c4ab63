"""`nirtrans demo`: the main job end to end on scenes that it makes itself."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nirtrans.cli.options import Debug, Device, Overwrite, ProgressOption, Seed, Threads

if TYPE_CHECKING:
    from nirtrans.progress import Progress

CONFIG = "cyclegan-asym-small"
SCENES, SCENE_PX = 12, 320
UNSEEN_PX, UNSEEN_SEED = (704, 1024), 20_007
PICTURE_PX, PICTURE_CORNER = 384, (304, 500)


def demo(
    out: Annotated[Path, typer.Option("--out", help="Folder to write.")] = Path("demo"),
    steps: Annotated[int | None, typer.Option("--steps", min=1, help="Training steps; the config's if absent.")] = None,
    seed: Seed = 0,
    device: Device = "auto",
    threads: Threads = None,
    progress: ProgressOption = "auto",
    overwrite: Overwrite = False,
    debug: Debug = False,
) -> None:
    """Make scenes, train on them, evaluate, colorize an unseen GeoTIFF, write report.html: minutes on two cores."""
    from nirtrans.cli.colorize import colorize
    from nirtrans.cli.evaluate import evaluate
    from nirtrans.cli.train import train
    from nirtrans.progress import Progress

    _prepare(out, overwrite)
    scenes, unseen, run, result = out / "scenes", out / "unseen.tif", out / "run", out / "colorized.tif"
    _make_scenes(scenes, unseen, seed, Progress(progress))
    typer.echo(f"scenes: {SCENES} in {scenes}, and {unseen} which training never sees")
    train(config=CONFIG, data=[str(scenes)], out=run, steps=steps, seed=seed, device=device, threads=threads,
          progress=progress)  # fmt: skip
    best = str(run / "best.safetensors")
    colorize(str(unseen), result, best, device=device, threads=threads, progress=progress)
    _draw(result, seed, out / "demo.png")
    evaluate(weights=[best], data=[str(scenes)], out=out, device=device, threads=threads, progress=progress)
    typer.echo(f"pictures and metrics: {out / 'report.html'}\nthe GeoTIFF, on the grid of its input: {result}")


def _prepare(out: Path, overwrite: bool) -> None:
    """Make room; an earlier demo is replaced only on demand, and nothing but its own files is removed."""
    import shutil

    from nirtrans.errors import InputError
    from nirtrans.io.atomic import make_folder

    if (out / "run").exists() and not overwrite:
        raise InputError(f"{out} holds an earlier demo; add --overwrite or choose another --out")
    for part in ("scenes", "run"):
        shutil.rmtree(out / part, ignore_errors=True)
    for name in ("unseen.tif", "colorized.tif"):
        (out / name).unlink(missing_ok=True)
    make_folder(out / "scenes")


def _make_scenes(scenes: Path, unseen: Path, seed: int, progress: "Progress") -> None:
    from nirtrans.data.synthetic import write_synthetic_raster

    with progress.task("scenes", SCENES + 1) as task:
        for number in range(SCENES):
            path = scenes / f"scene-{number:02d}.tif"
            write_synthetic_raster(path, size=(SCENE_PX, SCENE_PX), seed=seed + number, nodata_hole=number % 4 == 3)
            task.advance()
        write_synthetic_raster(unseen, size=UNSEEN_PX, seed=UNSEEN_SEED + seed)
        task.advance()


def _draw(colorized: Path, seed: int, picture: Path) -> None:
    """Draw a part of the unseen scene as near-infrared, colorized and true colour side by side."""
    import torch

    from nirtrans.data.synthetic import synthetic_scene
    from nirtrans.engine.samples import join, to_bytes
    from nirtrans.io.geotiff import Raster
    from nirtrans.io.images import write_image

    top, left = PICTURE_CORNER
    truth = synthetic_scene(UNSEEN_SEED + seed, UNSEEN_PX)
    with Raster(colorized) as raster:
        made, valid = raster.read((1, 2, 3), (top, left, PICTURE_PX, PICTURE_PX))
    part = (..., slice(top, top + PICTURE_PX), slice(left, left + PICTURE_PX))
    nir = torch.from_numpy(truth.nir_picture()[part]).expand(3, -1, -1)
    panels = [nir, torch.from_numpy(made) / 255, torch.from_numpy(truth.rgb_picture()[part])]
    paper = torch.tensor(0.95)  # what has no data is left blank
    write_image(picture, to_bytes(join([[panel.where(torch.from_numpy(valid), paper) for panel in panels]])))
