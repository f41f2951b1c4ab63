"""Laws of the tiling: whole, aligned, wide enough, and the same mirror for every tile."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nirtrans.inference.tiling import Grid, Window, mirrored, padded_size, source_window


@st.composite
def grids(draw: st.DrawFn) -> Grid:
    """Any scene, tile, halo and stride; of every other scene a part alone is wanted."""
    (top, height, below), (left, width, right) = (
        draw(st.tuples(st.integers(0, 40), st.integers(1, 90), st.integers(0, 40))) for _ in range(2)
    )
    stride = draw(st.sampled_from([1, 2, 4, 8]))
    cut = draw(st.integers(0, 6)) * stride, draw(st.integers(0, 40)), stride
    if draw(st.booleans()):
        return Grid(height, width, *cut)
    return Grid(top + height + below, left + width + right, *cut, region=Window(top, left, height, width))


@given(grids())
def test_cores_cover_each_pixel_once_in_row_major_order(grid: Grid) -> None:
    seen = np.zeros((grid.height, grid.width), int)
    cores = [tile.core for tile in grid.tiles()]
    for core in cores:
        seen[core.top : core.bottom, core.left : core.right] += 1
    wanted = np.zeros_like(seen)
    wanted[*grid.wanted.within(Window(0, 0, 0, 0))] = 1
    assert (seen == wanted).all()
    assert cores == sorted(cores)
    assert len(cores) == len(grid)


@given(grids())
def test_outer_windows_are_aligned_and_wide_enough(grid: Grid) -> None:
    ends = padded_size(grid.height, grid.stride_px), padded_size(grid.width, grid.stride_px)
    for tile in grid.tiles():
        core, outer = tile.core, tile.outer
        assert all(number % grid.stride_px == 0 for number in outer)
        assert min(outer.height, outer.width) >= min(4 * grid.stride_px, *ends)
        assert outer.top <= max(0, core.top - grid.halo_px)
        assert outer.left <= max(0, core.left - grid.halo_px)
        assert outer.bottom >= min(ends[0], core.bottom + grid.halo_px)
        assert outer.right >= min(ends[1], core.right + grid.halo_px)
        assert outer.bottom <= ends[0]
        assert outer.right <= ends[1]


@given(grids())
@settings(max_examples=30)
def test_every_tile_sees_the_same_mirrored_image(grid: Grid) -> None:
    image = np.arange(grid.height * grid.width).reshape(grid.height, grid.width)
    end = padded_size(grid.height, grid.stride_px), padded_size(grid.width, grid.stride_px)
    whole = np.pad(image, ((0, end[0] - grid.height), (0, end[1] - grid.width)), mode="reflect")
    for tile in grid.tiles():
        window, rows, columns = source_window(tile.outer, grid.height, grid.width)
        read = image[window.top : window.bottom, window.left : window.right]
        outer = tile.outer
        expected = whole[outer.top : outer.bottom, outer.left : outer.right]
        assert np.array_equal(read[np.ix_(rows, columns)], expected)


@given(st.integers(1, 9), st.integers(0, 40))
def test_mirror_is_that_of_numpy(size: int, beyond: int) -> None:
    expected = np.pad(np.arange(size), (0, beyond), mode="reflect")
    assert np.array_equal(mirrored(0, size + beyond, size), expected)


def test_core_is_cut_out_of_its_outer_window() -> None:
    rows, columns = Window(8, 16, 4, 4).within(Window(0, 8, 32, 32))
    assert (rows, columns) == (slice(8, 12), slice(8, 12))


def test_excess_counts_what_the_network_sees() -> None:
    assert Grid(64, 64, 0, 16, 8).excess() == 1
    assert Grid(64, 64, 32, 8, 8).excess() == (40 * 40 * 4) / 64**2


def test_tiles_off_the_stride_are_refused() -> None:
    with pytest.raises(ValueError, match="multiple of the stride 8"):
        Grid(64, 64, 20, 8, 8)
