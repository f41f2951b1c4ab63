"""The vegetation index: by hand, and harmless where it is dark."""

import pytest
import torch

from nirtrans.losses.indices import ndvi_loss


def level(channels: int, value: float) -> torch.Tensor:
    return torch.full((1, channels, 2, 2), value)


@pytest.mark.parametrize(
    ("fake", "real", "nir", "loss"),
    [
        (0.2, 0.6, 0.6, 0.5),  # 0.5 against 0
        (0.1, 0.3, 0.3, 0.5),
        (0.9, 0.1, 0.5, 2 / 3 + 2 / 7),
        (0.02, 0.0, 0.01, 0.02 / 0.05),  # both denominators count as 0.05
    ],
)
def test_values_by_hand(fake: float, real: float, nir: float, loss: float) -> None:
    assert ndvi_loss(level(3, fake), level(3, real), level(1, nir)).item() == pytest.approx(loss, rel=1e-5)


def test_red_and_the_first_band_alone_count() -> None:
    fake, real, source = level(3, 0.2), level(3, 0.6), level(2, 0.6)
    fake[:, 1:], source[:, 1:] = 0.9, 0.1
    assert ndvi_loss(fake, real, source).item() == pytest.approx(0.5, rel=1e-5)


def test_black_has_a_bounded_gradient() -> None:
    fake = level(3, 0.0).requires_grad_(True)
    ndvi_loss(fake, level(3, 0.5), level(1, 0.0)).backward()
    assert fake.grad.abs().max() <= 1 / 0.05
