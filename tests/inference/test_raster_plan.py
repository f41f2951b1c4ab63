"""How a raster is cut where nobody says how."""

from types import SimpleNamespace
from typing import Any

import pytest
from tiny_weights import tiny_weights

from nirtrans.inference.colorizer import Colorizer, load_colorizer
from nirtrans.inference.raster_plan import TileOptions, plan
from nirtrans.io.raster_form import RasterForm


@pytest.fixture
def colorizer() -> Colorizer:
    colorizer = load_colorizer(tiny_weights("batch"), device="cpu")
    colorizer.budget_px = 10**8
    return colorizer


def scene(height: int, width: int) -> Any:
    return SimpleNamespace(height=height, width=width, raster=None)


def test_a_scene_that_the_memory_holds_is_cut_as_well(colorizer: Colorizer) -> None:
    grid = plan(colorizer, scene(3000, 2000), TileOptions(), RasterForm())
    assert (grid.tile_px, len(grid)) == (1024, 6)
    assert len(plan(colorizer, scene(900, 1024), TileOptions(), RasterForm())) == 1


def test_a_network_that_sees_everything_sees_it_at_once(colorizer: Colorizer) -> None:
    colorizer.info = colorizer.info.model_copy(update={"bounded": False})
    assert len(plan(colorizer, scene(3000, 2000), TileOptions(), RasterForm())) == 1


def test_all_at_once_on_request(colorizer: Colorizer) -> None:
    assert len(plan(colorizer, scene(3000, 2000), TileOptions(tile_px=0), RasterForm())) == 1
