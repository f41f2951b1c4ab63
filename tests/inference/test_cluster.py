"""Rasters on a Dask cluster of processes on this machine: the bytes of a local run, whatever happens to the workers."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import rasterio
from PIL import Image
from rasterio.transform import Affine
from tiny_weights import tiny_weights

from nirtrans.errors import InputError, IOFailure, MissingExtraError
from nirtrans.inference import cluster as module
from nirtrans.inference.cluster import Cluster, connected
from nirtrans.inference.colorizer import load_colorizer
from nirtrans.inference.geotiff import Course, Result, colorize_raster
from nirtrans.inference.raster_plan import TileOptions
from nirtrans.inference.tiling import Grid, Window
from nirtrans.io.parts import Parts, Shard
from nirtrans.io.raster_form import RasterForm
from nirtrans.models.build import build_system
from nirtrans.models.weights import ModelInfo, inference_tensors, save_weights
from nirtrans.progress import Progress
from tests.models.tiny import tiny_run

ROOT = Path(__file__).parents[2]
FORM = RasterForm(block_px=32)
TILING = TileOptions(64)
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "DASK_DISTRIBUTED__WORKER__MEMORY__TERMINATE": "0.99"}


def dask(*arguments: object, **options: Any) -> subprocess.Popen[bytes]:
    """Start a command of Dask without dashboard, on loopback; no nanny, so that the process is the worker itself."""
    command = [sys.executable, "-m", "dask", *map(str, arguments), "--no-dashboard", "--host", "127.0.0.1"]
    return subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)


class Farm:
    """A scheduler and workers, started and ended as a test asks."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "scheduler.json"
        self.scheduler = dask("scheduler", "--port", "0", "--scheduler-file", self.file, "--idle-timeout", "120s")
        self.workers: list[subprocess.Popen[bytes]] = []

    def have(self, count: int) -> "Farm":
        """Bring the number of living workers to `count`; all but the first have two threads."""
        self.workers = [worker for worker in self.workers if worker.poll() is None]
        for number in range(len(self.workers), count):
            threads = ("--nthreads", min(number + 1, 2))
            options = ("--no-nanny", "--memory-limit", "0", "--local-directory", self.file.parent)
            self.workers.append(dask("worker", "--scheduler-file", self.file, *threads, *options))
        while len(self.workers) > count:
            end(self.workers.pop())
        with connected(str(self.file), weights="spectral-hybrid-green", device="cpu") as cluster:
            assert cluster is not None
            while len(cluster.client.nthreads()) != count:
                time.sleep(0.05)
        return self

    def close(self) -> None:
        for process in (*self.workers, self.scheduler):
            end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    running = Farm(tmp_path_factory.mktemp("dask"))
    yield running
    running.close()


def scene(path: Path, *, seed: int = 0, height: int = 250, width: int = 330, **profile: Any) -> Path:
    """Write a smooth band with holes."""
    rows, columns = np.mgrid[:height, :width]
    noise = np.random.default_rng(seed).normal(0, 0.1, rows.shape)
    band = (2000 + 900 * (np.sin(rows / (9 + seed)) * np.cos(columns / 13) + noise + columns / width)).astype("uint16")
    band[40:90, 100:190] = 0
    grid = {"crs": "EPSG:32633", "transform": Affine(10, 0, 400_000, 0, -10, 5_000_000), "nodata": 0}
    size = {"height": height, "width": width, "count": 1, "dtype": "uint16"}
    with rasterio.open(path, "w", driver="GTiff", **size, **grid, **profile) as target:
        target.write(band, 1)
        target.set_band_description(1, "nir")
    return path


def colorize(
    source: Path, target: Path, farm: Farm | None = None, *, weights: Path | None = None, **options: Any
) -> Result:
    """Colorize here, or on the workers of a farm."""
    weights = weights or tiny_weights()
    scheduler = None if farm is None else str(farm.file)
    with connected(scheduler, weights=str(weights), device="cpu") as cluster:
        course = replace(options.pop("course", Course()), cluster=cluster)
        colorizer = load_colorizer(weights, device="cpu")
        return colorize_raster(
            colorizer, source, target, **{"tiling": TILING, "form": FORM, "course": course, **options}
        )


@pytest.mark.parametrize("count", [1, 2, 3])
def test_bytes_are_those_of_a_local_run(tmp_path: Path, farm: Farm, count: int) -> None:
    source = scene(tmp_path / "in.tif")
    here = colorize(source, tmp_path / "here.tif")
    there = colorize(source, tmp_path / "there.tif", farm.have(count))
    assert (tmp_path / "there.tif").read_bytes() == (tmp_path / "here.tif").read_bytes()
    assert there == here
    assert sorted(path.name for path in tmp_path.iterdir()) == ["here.tif", "in.tif", "there.tif"]


def test_threads_share_a_network_with_noise(tmp_path: Path, farm: Farm) -> None:
    """Each thread must get the noise of its own tile."""
    run = tiny_run("scgan-triplet", norm="batch", noise=0.5)
    system = build_system(run).eval()
    info = ModelInfo(model=run.model, run=run, halo_px=16, stride_px=8)
    save_weights(tmp_path / "w.safetensors", inference_tensors(system), info)
    source, same = scene(tmp_path / "in.tif"), {"weights": tmp_path / "w.safetensors"}
    colorize(source, tmp_path / "here.tif", **same)
    colorize(source, tmp_path / "there.tif", farm.have(3), **same)
    assert (tmp_path / "there.tif").read_bytes() == (tmp_path / "here.tif").read_bytes()


class At:
    """A stream for progress that does something when so many tiles are done."""

    def __init__(self, done: int, action: Callable[[], None]) -> None:
        self.done, self.action = done, action

    def write(self, text: str) -> None:
        if text.strip() and json.loads(text)["done"] == self.done:
            self.action()

    def flush(self) -> None:
        """Nothing is held back."""

    def course(self) -> Course:
        """Return a course whose progress calls this."""
        return Course(progress=Progress("json", self))  # type: ignore[arg-type]


def test_a_killed_worker_is_made_up_for(tmp_path: Path, farm: Farm) -> None:
    source = scene(tmp_path / "in.tif")
    colorize(source, tmp_path / "here.tif")
    victim = farm.have(2).workers[0]
    colorize(source, tmp_path / "there.tif", farm, course=At(3, lambda: end(victim)).course())
    assert victim.poll() == -signal.SIGKILL
    assert (tmp_path / "there.tif").read_bytes() == (tmp_path / "here.tif").read_bytes()


def test_the_only_worker_is_killed_and_another_comes(
    tmp_path: Path, farm: Farm, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What all tiles share was held by that worker alone."""
    monkeypatch.setattr(module, "PATIENCE_S", 0.2)
    monkeypatch.setattr(module, "COUNT_EVERY_S", 0.0)
    source = scene(tmp_path / "in.tif")
    colorize(source, tmp_path / "here.tif")
    farm.have(1)

    def exchange() -> None:
        end(farm.workers[0])
        threading.Thread(target=farm.have, args=(1,)).start()

    colorize(source, tmp_path / "there.tif", farm, course=At(3, exchange).course())
    assert (tmp_path / "there.tif").read_bytes() == (tmp_path / "here.tif").read_bytes()
    assert caplog.text.count("has no worker left; waiting for one") == 1


def test_scenes_with_other_statistics_follow_each_other(tmp_path: Path, farm: Farm) -> None:
    """Workers keep network and handle; neither may stay with the scene before."""
    farm.have(2)
    source = tmp_path / "in.tif"
    for turn, (seed, norm) in enumerate([(0, "instance"), (1, "instance"), (0, "batch"), (0, "instance")]):
        scene(source, seed=seed, height=130, width=200)
        os.utime(source, (turn, turn))  # the same path, in a second another file
        weights = tiny_weights(norm)
        colorize(source, tmp_path / f"here{turn}.tif", weights=weights)
        colorize(source, tmp_path / f"there{turn}.tif", farm, weights=weights)
        assert (tmp_path / f"here{turn}.tif").read_bytes() == (tmp_path / f"there{turn}.tif").read_bytes()
    assert (tmp_path / "here0.tif").read_bytes() != (tmp_path / "here1.tif").read_bytes()


def test_shards_and_parts(tmp_path: Path, farm: Farm) -> None:
    farm.have(2)
    source, part = scene(tmp_path / "in.tif"), TileOptions(64, window=Window(30, 70, 150, 201))
    here, there = tmp_path / "here.tif", tmp_path / "there.tif"
    colorize(source, here, tiling=part)
    colorize(source, there, farm, tiling=part, course=Course(shard=Shard(2, 2)))
    colorize(source, there, tiling=part, course=Course(shard=Shard(1, 2)))
    colorize(source, there, farm, tiling=part, course=Course(resume=True))
    assert here.read_bytes() == there.read_bytes()


@pytest.mark.parametrize("resumed_on_the_cluster", [False, True])
def test_an_interrupted_client_is_resumed(tmp_path: Path, farm: Farm, resumed_on_the_cluster: bool) -> None:
    farm.have(1)
    source, target = scene(tmp_path / "in.tif"), tmp_path / "there.tif"
    colorize(source, tmp_path / "here.tif")

    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match="stopped after 5 of 24 tiles; the same command with --resume"):
        colorize(source, target, farm, course=At(5, interrupt).course())
    assert Parts(target).exist()
    seen: list[str] = []
    course = replace(At(5, lambda: seen.append("taken over")).course(), resume=True)
    colorize(source, target, farm if resumed_on_the_cluster else None, course=course)
    assert seen == ["taken over"]
    assert target.read_bytes() == (tmp_path / "here.tif").read_bytes()


def test_few_tiles_are_on_their_way(tmp_path: Path, farm: Farm, monkeypatch: pytest.MonkeyPatch) -> None:
    """A graph of all tiles would fill scheduler and memory."""
    from distributed import Client

    submitted: list[str] = []
    submit = Client.submit

    def counted(client: Client, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        submitted.append(function.__name__)
        return submit(client, function, *arguments, **options)

    monkeypatch.setattr(Client, "submit", counted)
    farm.have(2)
    most: list[int] = []
    course = At(10, lambda: most.append(submitted.count("encode_tile_of") - 10)).course()
    colorize(scene(tmp_path / "in.tif"), tmp_path / "out.tif", farm, course=course)
    assert most[0] <= 3 * module.AHEAD_PER_THREAD


def test_other_weights_at_the_workers(tmp_path: Path, farm: Farm) -> None:
    farm.have(1)
    source, weights = scene(tmp_path / "in.tif"), tmp_path / "w.safetensors"
    for change, message in (
        (lambda: shutil.copy(tiny_weights("batch"), weights), r"holds other weights \(SHA-256 \w{12} here, \w{12} at"),
        (weights.unlink, "is not there; workers read weights from a file system that they share"),
    ):
        shutil.copy(tiny_weights(), weights)
        colorizer = load_colorizer(weights, device="cpu")
        with connected(str(farm.file), weights=str(weights), device="cpu") as cluster:
            change()
            with pytest.raises(InputError, match=rf"worker on \S+: {weights} {message}"):
                colorize_raster(
                    colorizer, source, tmp_path / "out.tif", tiling=TILING, form=FORM, course=Course(cluster=cluster)
                )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.tif"]


@pytest.fixture
def cluster(farm: Farm) -> Iterator[Cluster]:
    farm.have(1)
    with connected(str(farm.file), weights=str(tiny_weights()), device="cpu") as opened:
        assert opened is not None
        yield opened


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"source": "/absent/in.tif"},
            "/absent/in.tif is not there; workers read from a file system that they share",
        ),
        ({"identity": "in.tif 1 2"}, "in.tif is another file than at the client"),
        ({"versions": {"torch": "1.0"}}, r"torch is \S+ here and 1.0 at the client; install the same"),
        ({"device": "cuda:99"}, "--device cuda:99"),
    ],
)
def test_what_workers_do_not_find(
    tmp_path: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], message: str
) -> None:
    """Asked before a run, and found by a worker that joins later."""
    source, colorizer = scene(tmp_path / "in.tif"), load_colorizer(tiny_weights(), device="cpu")
    found = cluster.inputs
    monkeypatch.setattr(cluster, "inputs", lambda *asked: replace(found(*asked), **changes))
    for check in (cluster.check, lambda inputs: None):
        monkeypatch.setattr(cluster, "check", check)
        with pytest.raises(InputError, match=rf"worker on \S+: .*{message}"):
            colorize_raster(
                colorizer, source, tmp_path / "out.tif", tiling=TILING, form=FORM, course=Course(cluster=cluster)
            )


def test_a_source_that_breaks_off(tmp_path: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    source, cut = scene(tmp_path / "in.tif", compress="deflate"), tmp_path / "cut.tif"
    whole = source.read_bytes()
    cut.write_bytes(whole[: len(whole) // 2] + bytes(20_000) + whole[len(whole) // 2 + 20_000 :])
    found = cluster.inputs
    monkeypatch.setattr(cluster, "inputs", lambda _, digest: found(str(cut), digest))
    colorizer = load_colorizer(tiny_weights(), device="cpu")
    with pytest.raises(IOFailure, match=r"worker on \S+: \S+cut.tif: reading .* pixels at row \d+, column \d+ failed"):
        colorize_raster(
            colorizer, source, tmp_path / "out.tif", tiling=TILING, form=FORM, course=Course(cluster=cluster)
        )
    assert len(list((tmp_path / "out.tif.parts").iterdir())) == 3  # tiles before the break are kept


def test_failures_that_are_not_ours_name_the_tile() -> None:
    from distributed import KilledWorker

    killed = KilledWorker("key", SimpleNamespace(address="tcp://far:1"), 3)
    (tile,) = Grid(60, 70, 0, 0, 4).tiles()
    for failure, message in (
        (
            ZeroDivisionError("by zero"),
            "the tile of 60x70 pixels at row 0, column 0 failed twice (ZeroDivisionError",
        ),
        (killed, "4 workers died on the tile of 60x70 pixels at row 0, column 0, the last at tcp://far:1; if memory"),
        (ModuleNotFoundError("No module named 'x'"), "worker cannot run this nirtrans (ModuleNotFoundError: No module"),
    ):
        assert str(module._explained(failure, tile)).startswith(message)


@pytest.mark.parametrize(
    "address", ["tcp://127.0.0.1:1", "nonsense://x:1", "127.0.0.1", "absent.json", "silent", "tls://127.0.0.1:1"]
)
def test_no_scheduler_answers(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    import socket

    monkeypatch.setattr(module, "CONNECT_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}" if address == "silent" else address
        with (
            pytest.raises(InputError, match=rf"--scheduler {address}: (no scheduler answers|cannot be read)"),
            connected(address, weights="spectral-hybrid-green", device="cpu"),
        ):
            pass


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("in.png", "--scheduler: for rasters alone, and"),
        ("", "--scheduler divides one raster; give the rasters one by one"),
    ],
)
def test_pictures_and_folders_are_refused(
    tmp_path: Path, farm: Farm, capfd: pytest.CaptureFixture[str], name: str, message: str
) -> None:
    from nirtrans.cli.app import run

    farm.have(1)
    Image.fromarray(np.zeros((20, 20), np.uint8)).save(tmp_path / "in.png")
    call = ["colorize", str(tmp_path / name), str(tmp_path / "out" / name), "--weights", str(tiny_weights())]
    assert run([*call, "--scheduler", str(farm.file), "--device", "cpu"]) == 2
    assert message in capfd.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["in.png"]


def test_without_dask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with (
        pytest.raises(MissingExtraError, match=r"pip install 'nirtrans\[distributed\]'"),
        connected("tcp://127.0.0.1:1", weights="spectral-hybrid-green", device="cpu"),
    ):
        pass


COMMAND = [sys.executable, "-c", "from nirtrans.cli.app import main; main()", "colorize"]


def command(source: Path, target: Path, *flags: object) -> list[str]:
    """Return a command that makes many small tiles and tells of each."""
    tiles = ["--tile", "64", "--block", "32", "--device", "cpu", "--threads", "1", "--progress", "json"]
    return [*COMMAND, str(source), str(target), "--weights", str(tiny_weights()), *tiles, *map(str, flags)]


def stopped(call: list[str], action: Callable[[subprocess.Popen[str]], None]) -> tuple[int, list[str]]:
    """Run a command, do something after its second tile, and return its exit code and what it said but progress."""
    process = subprocess.Popen(call, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)
    assert process.stderr is not None
    events = [process.stderr.readline() for _ in range(3)]
    assert all(line.startswith('{"event"') for line in events), events
    action(process)
    rest = [line for line in process.stderr.read().splitlines() if not line.startswith('{"event"')]
    return process.wait(timeout=60), rest


def test_the_command_line(tmp_path: Path, farm: Farm) -> None:
    """Stopped, resumed, killed, resumed; bytes as ever, and no line but ours."""
    farm.have(2)
    source, target = scene(tmp_path / "in.tif", height=700, width=700), tmp_path / "there.tif"
    colorize(source, tmp_path / "here.tif")
    call = command(source, target, "--scheduler", farm.file)
    code, lines = stopped(call, lambda process: process.send_signal(signal.SIGTERM))
    assert (code, len(lines)) == (143, 1), lines
    assert "of 121 tiles; the same command with --resume goes on" in lines[0]
    call.append("--resume")
    assert stopped(call, lambda process: process.kill()) == (-signal.SIGKILL, [])
    done = subprocess.run(call, capture_output=True, text=True, env=ENVIRONMENT, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{target}: written; ")
    events = done.stderr.splitlines()
    assert all(line.startswith('{"event"') for line in events)
    assert json.loads(events[0])["done"] >= 4
    assert target.read_bytes() == (tmp_path / "here.tif").read_bytes()


def test_a_lost_scheduler_ends_the_command(tmp_path: Path) -> None:
    farm = Farm(tmp_path).have(1)
    source, target = scene(tmp_path / "in.tif", height=700, width=700), tmp_path / "there.tif"
    try:
        code, lines = stopped(command(source, target, "--scheduler", farm.file), lambda _: end(farm.scheduler))
    finally:
        farm.close()
    assert (code, len(lines)) == (3, 1), lines
    assert "the scheduler is lost (" in lines[0]
    assert "the same command with --resume goes on" in lines[0]
    assert Parts(target).exist()
