"""The image pool: what comes back, how often, and that it resumes exactly."""

import torch

from nirtrans.nn.pool import ImagePool


def numbered(first: int, count: int) -> torch.Tensor:
    return torch.arange(first, first + count, dtype=torch.float32)[:, None, None, None].expand(-1, 1, 2, 2)


def test_switched_off_it_returns_what_comes() -> None:
    pool, images = ImagePool(0), numbered(0, 3)
    assert pool(images) is images
    assert len(pool.images) == 0


def test_until_full_it_returns_what_comes_and_keeps_it() -> None:
    pool = ImagePool(4)
    assert torch.equal(pool(numbered(0, 3)), numbered(0, 3))
    assert torch.equal(pool.images, numbered(0, 3))


def test_then_half_of_the_pictures_are_older_ones() -> None:
    pool = ImagePool(8)
    pool(numbered(0, 8))
    came = numbered(8, 400)
    returned = pool(came)
    older = (returned[:, 0, 0, 0] < came[:, 0, 0, 0]).float().mean()
    assert 0.4 < older < 0.6
    assert len(pool.images) == 8
    assert len(returned[:, 0, 0, 0].unique()) == 400, "an exchanged picture leaves the pool"


def test_it_keeps_copies() -> None:
    pool, images = ImagePool(2), numbered(0, 2).clone()
    pool(images)
    images.fill_(-1)
    assert torch.equal(pool.images, numbered(0, 2))


def test_restored_from_its_state_it_continues_exactly() -> None:
    pool = ImagePool(4, seed=3)
    for first in range(0, 20, 2):
        pool(numbered(first, 2))
    twin = ImagePool(4, seed=3)
    twin.load_state_dict(pool.state_dict())
    for first in range(20, 60, 2):
        assert torch.equal(pool(numbered(first, 2)), twin(numbered(first, 2)))


def test_restored_while_filling_or_empty() -> None:
    for count in (0, 1, 3):
        pool, twin = ImagePool(4), ImagePool(4)
        for first in range(count):
            pool(numbered(first, 1))
        twin.load_state_dict(pool.state_dict())
        assert torch.equal(twin.images, pool.images)


def test_seeds_choose_differently() -> None:
    returned = []
    for seed in (0, 1):
        pool = ImagePool(4, seed=seed)
        pool(numbered(0, 4))
        returned.append(pool(numbered(4, 40)))
    assert not torch.equal(*returned)


def test_a_crop_of_another_size_starts_the_pool_anew() -> None:
    pool = ImagePool(2)
    pool(numbered(0, 2))
    assert pool(torch.ones(1, 1, 4, 4)).shape == (1, 1, 4, 4)
    assert pool.images.shape == (1, 1, 4, 4)


def test_half_precision_pictures_keep_their_type() -> None:
    pool = ImagePool(1)
    for first in range(6):
        assert pool(numbered(first, 1).bfloat16()).dtype == torch.bfloat16
