"""The benchmark of rasters: whole tables, contestants that come to the same pixels, and failures that are told."""

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
import torch

from nirtrans.bench import geotiff, raster_child, raster_place, raster_restart, suites
from nirtrans.bench.raster_child import Cost, Task, measure, work
from nirtrans.bench.raster_networks import GREY, TINT, Grey, open_network, pausing
from nirtrans.bench.raster_place import Place, Sizes, largest_difference, summed_up
from nirtrans.bench.raster_scenes import BLOCK_PX, pattern, write_scene
from nirtrans.bench.raster_ways import WAYS
from nirtrans.bench.tables import Goal, Table, recorded_tables, tables_markdown, told
from nirtrans.errors import InputError, RunError

TINY = Sizes(
    scene_px=640,
    network_px=64,
    memory_px=(512, 1024),
    stripe_px=128,
    restarts=((pausing(1e-7), 1536, 512),),
    rounds=1,
    network={"width": 2, "blocks": 1, "halvings": 2},
)
PICTURES = {"write_blocks", "write_blocks, all cores", "colorize", "plain_loop", "plain_loop, all cores", "whole_array"}


def here(task: Task) -> Cost:
    """Do a task without a process of its own."""
    return work(task, time.time())


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path, TINY, 1, "cpu", [])


@pytest.fixture
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the whole benchmark in this process, but for what must be killed."""
    monkeypatch.setattr(raster_place, "measure", here)
    monkeypatch.setattr(raster_restart, "measure", here)
    monkeypatch.setitem(geotiff.SIZES, "quick", TINY)


def test_tables_and_files(tmp_path: Path, quickly: None) -> None:
    text = suites.run_suite("geotiff", threads=[1, 2], devices=["cpu"], out=tmp_path, quick=True)
    assert text == (tmp_path / "geotiff-cpu.md").read_text()
    tables, goals = recorded_tables(tmp_path / "geotiff-cpu.json")
    assert "\n".join(tables_markdown(tables, goals)) in text
    assert all(len(figures) == len(table.columns) for table in tables for figures in table.rows.values())
    assert all(figure > 0 for table in tables[:3] for figures in table.rows.values() for figure in figures[:1])
    assert len(tables) == 6
    assert all(np.isfinite(goal.figure) for goal in goals)
    about = json.loads((tmp_path / "geotiff-cpu.json").read_text())["environment"]
    assert about["threads"] == 2
    assert {"device", "packages", "commit", "load_average"} <= set(about)


def test_other_pixels_end_in_an_error(tmp_path: Path, quickly: None, monkeypatch: pytest.MonkeyPatch) -> None:
    loop = WAYS["plain_loop"]

    def wrong(task: Task, *rest: object) -> None:
        loop(task, *rest)
        with rasterio.open(task.target, "r+") as made:
            made.write(made.read(1) ^ 1, 1)

    monkeypatch.setitem(WAYS, "plain_loop", wrong)
    with pytest.raises(RunError, match=r"^plain loop by windows: 1 of 255 levels off write RGB, 1 thread; "):
        suites.run_suite("geotiff", threads=[1], devices=["cpu"], out=tmp_path, quick=True)
    assert "**Restart**" in (tmp_path / "geotiff-cpu.md").read_text()


@pytest.mark.parametrize("network", [GREY, TINT])
def test_every_way_to_a_picture_makes_the_same_one(place: Place, network: str) -> None:
    scene = place.scene(1200)
    tasks = {way: replace(place.task(way, scene, network), tile_px=512) for way in PICTURES}
    for task in tasks.values():
        here(task)
    place.compare(tasks, ["colorize", *sorted(PICTURES - {"colorize"})])
    assert not place.failures
    assert not any(Path(task.target).exists() for task in tasks.values())


def test_memory_and_start_are_those_of_a_process(place: Place) -> None:
    cost = measure(place.task("idle", place.scene(64)))
    assert 50 < cost.base_mb <= cost.peak_mb < 2000
    assert cost.start_s > 0
    assert cost.wall_s == cost.cpu_s == 0


def test_a_child_that_fails_is_told(place: Place) -> None:
    task = place.task("colorize", place.folder / "absent.tif")
    with pytest.raises(RunError, match=r"^colorize of .*absent.tif ended with 1: .*no such file"):
        measure(task)


def test_a_run_is_killed_half_way(place: Place) -> None:
    task = replace(place.task("colorize", place.scene(1536), pausing(3e-7)), tile_px=512)
    raster_restart.kill_at(task, tiles=3)
    parts = Path(task.target + ".parts")
    done = (parts / "1-of-1.jsonl").read_bytes().count(b"\n") - 1
    assert 3 <= done < 9
    assert not Path(task.target).exists()


def test_a_run_that_ends_early_is_told(place: Place) -> None:
    with pytest.raises(RunError, match="ended before it could be interrupted"):
        raster_restart.kill_at(place.task("idle", place.scene(64)), tiles=1)


@pytest.mark.parametrize("stripe", [None, 256])
def test_scenes(tmp_path: Path, stripe: int | None) -> None:
    with rasterio.open(write_scene(tmp_path / "scene.tif", 1100, stripe_px=stripe)) as scene:
        band = scene.read(1)
        assert (scene.dtypes, scene.descriptions, scene.block_shapes) == (("uint16",), ("nir",), [(BLOCK_PX, BLOCK_PX)])
        assert scene.crs.is_projected
        filled = (band > 0).all(axis=1)
        assert filled.sum() == (stripe or 1100)
        assert (scene.dataset_mask() > 0).sum() == 1100 * filled.sum()
        rows = np.flatnonzero(filled)[:64]
        assert np.array_equal(band[rows, :1024], pattern()[: len(rows)])
    size = (tmp_path / "scene.tif").stat().st_size
    assert size > 1100 * (stripe or 1100)  # noise does not compress to nothing


def test_networks_that_cost_nothing() -> None:
    grey, slow = (open_network(name, "cpu").system for name in (GREY, pausing(1e-6)))
    assert isinstance(slow, Grey)
    assert slow.pause_s_per_px == 1e-6
    source = torch.rand(1, 1, 8, 8)
    assert torch.equal(grey.colorize(source), source.expand(-1, 3, -1, -1))
    tinted = open_network(TINT, "cpu").system.colorize(source)
    assert torch.allclose(tinted / source, torch.tensor([1, 0.8, 0.6])[:, None, None].expand(1, 3, 8, 8))


def test_the_least_time_and_the_largest_peak_count() -> None:
    assert summed_up([Cost(1, 5, 3, 4, 9), Cost(2, 3, 4, 5, 8)]) == Cost(1, 3, 3, 4, 9)


def test_pictures_of_other_sizes_differ(tmp_path: Path) -> None:
    one, other = (write_scene(tmp_path / f"{side}.tif", side) for side in (64, 80))
    assert largest_difference(one, other) == 255
    assert largest_difference(one, one) == 0


def test_goals_and_figures() -> None:
    goals = [Goal("a", 1.0, 1.0), Goal("b", 1.1, 1.0), Goal("c", float("nan"), 1.0)]
    lines = tables_markdown([Table("Title", "", ["s"], {"way": [None]})], goals)
    assert [line.split(" | ")[-1] for line in lines[2:5]] == ["met |", "**missed** |", "**missed** |"]
    assert lines[-1] == "| way |  |"
    assert [told(figure) for figure in (0.123, 12.34, 1234.5, None)] == ["0.12", "12.3", "1234", ""]


def test_tables_in_the_documentation_are_those_of_the_results() -> None:
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "scripts/raster_tables.py", "--check"], cwd=root, check=True)


def test_the_pausing_network_serves_one_thread_at_a_time() -> None:
    system = open_network(pausing(5e-4), "cpu").system
    began = time.perf_counter()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(system.colorize, [torch.zeros(1, 1, 8, 8)] * 2))
    assert time.perf_counter() - began > 2 * 64 * 5e-4


def test_nothing_is_compiled() -> None:
    with pytest.raises(InputError, match="--compiled: no network of this benchmark is compiled"):
        suites.run_suite("geotiff", threads=[1], devices=["cpu"], compiled=True)


def test_every_way_is_measured(place: Place) -> None:
    assert json.loads(raster_child.command(Task("idle", "a.tif", "b.tif"))[-1])["way"] in WAYS
    for way in WAYS.keys() - PICTURES - {"idle"}:
        cost = here(place.task(way, place.scene(512)))
        assert cost.cpu_s > 0
        assert cost.wall_s > 0
