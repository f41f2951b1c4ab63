"""Samples become batches: masks are completed, kinds are not mixed."""

import pytest
import torch

from nirtrans.data.sample import Sample, collate


def sample(*, valid: bool | None = None, paired: bool = True) -> Sample:
    mask = None if valid is None else torch.full((1, 4, 4), valid)
    return Sample(torch.zeros(1, 4, 4), torch.ones(3, 4, 4), mask, paired, "a")


def test_stacked_shapes_and_names() -> None:
    batch = collate([sample(), sample()])
    assert batch.source.shape == (2, 1, 4, 4)
    assert batch.target.shape == (2, 3, 4, 4)
    assert batch.valid is None
    assert batch.ids == ("a", "a")


def test_one_mask_gives_all_a_mask() -> None:
    valid = collate([sample(), sample(valid=False)]).valid
    assert valid is not None
    assert valid.flatten(1).all(1).tolist() == [True, False]


def test_paired_and_unpaired_do_not_mix() -> None:
    with pytest.raises(ValueError, match="not both"):
        collate([sample(), sample(paired=False)])
    assert not collate([sample(paired=False)]).paired


def test_moving_keeps_everything() -> None:
    moved = collate([sample(valid=True)]).to(torch.device("cpu"))
    assert moved.valid is not None
    assert moved.ids == ("a",)
