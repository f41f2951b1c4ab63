"""Seeds of the NTIRE challenge: how many, where, which colours."""

import numpy as np
import pytest

from nirtrans.data.seeds import ntire_track2_seeds
from nirtrans.errors import InputError

PICTURE = np.random.default_rng(1).integers(0, 256, (20, 30, 3), dtype=np.uint8)


def test_seeds_are_pixels_with_their_colours() -> None:
    seeds = ntire_track2_seeds(PICTURE, np.random.default_rng(0))
    assert all(PICTURE[y, x].tolist() == colour for x, y, *colour in seeds)
    assert len({seed[:2] for seed in seeds}) == len(seeds)
    assert seeds == ntire_track2_seeds(PICTURE, np.random.default_rng(0))
    assert ntire_track2_seeds(PICTURE / 255, np.random.default_rng(0)) == seeds


def test_there_are_5_to_15_of_them() -> None:
    rng = np.random.default_rng(0)
    counts = [len(ntire_track2_seeds(PICTURE, rng)) for _ in range(300)]
    assert set(counts) == set(range(5, 16))
    assert len(ntire_track2_seeds(PICTURE, rng, n=50)) == 50
    assert len(ntire_track2_seeds(PICTURE[:2, :3], rng, n=6)) == 6


def test_pictures_that_cannot_be_used() -> None:
    with pytest.raises(InputError, match=r"\[H, W, 3\], got \(20, 30\)"):
        ntire_track2_seeds(PICTURE[..., 0], np.random.default_rng(0))
    with pytest.raises(InputError, match="0 to 6 seeds in 3 x 2 px, got 7"):
        ntire_track2_seeds(PICTURE[:2, :3], np.random.default_rng(0), n=7)
