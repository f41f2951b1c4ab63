"""The fidelity terms: which appear, what they weigh, and the laws that all of them obey."""

import pytest
import torch

from nirtrans.config_files import validate
from nirtrans.errors import ConfigError
from nirtrans.losses.color import angular_loss
from nirtrans.losses.fidelity import Fidelity, fidelity_terms
from nirtrans.losses.masked import masked_l1

TERMS = ("l1", "mse", "blur_l1", "shift_l1", "ssim", "ms_ssim", "sobel", "angular", "histogram", "ndvi")
every_term = pytest.mark.parametrize("name", TERMS)


def pictures(count: int = 3, side: int = 24) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    fake, real = torch.rand(2, count, 3, side, side) * 1.8 - 0.9
    return fake, real, torch.rand(count, 1, side, side) * 1.8 - 0.9


def ragged_mask(count: int = 3, side: int = 24) -> torch.Tensor:
    """Holes of another size in each picture, scattered and in one piece."""
    valid = torch.rand(count, 1, side, side) > 0.05
    for number in range(count):
        valid[number, :, :, side - 3 * number :] = False
    return valid


def term(name: str, fake: torch.Tensor, real: torch.Tensor, **rest: torch.Tensor | None) -> torch.Tensor:
    return fidelity_terms(Fidelity(**{name: 1.0}), fake, real, **rest)[name]


def test_only_weighted_terms_appear() -> None:
    fake, real, source = pictures()
    assert fidelity_terms(Fidelity(), fake, real) == {}
    everything = fidelity_terms(Fidelity(**dict.fromkeys(TERMS, 2.0)), fake, real, source=source)
    assert tuple(everything) == TERMS
    torch.testing.assert_close(everything["l1"], 2 * masked_l1(fake, real))
    torch.testing.assert_close(everything["angular"], 2 * angular_loss((fake + 1) / 2, (real + 1) / 2))


def test_pictures_of_other_places_are_compared_by_their_histograms() -> None:
    fake, real, source = pictures()
    settings = Fidelity(**dict.fromkeys(TERMS, 2.0))
    assert set(fidelity_terms(settings, fake, real, source=source, paired=False)) == {"histogram"}


def test_settings_reach_their_terms() -> None:
    fake = torch.rand(1, 3, 24, 24)
    real = fake.roll((0, 3), (2, 3))
    reach = [fidelity_terms(Fidelity(shift_l1=1, shift_px=px), fake, real)["shift_l1"].item() for px in (2, 3)]
    assert reach[0] > 0 == reach[1]
    sharp = fidelity_terms(Fidelity(blur_l1=1, blur_px=0), fake, real)["blur_l1"]
    torch.testing.assert_close(sharp, masked_l1(fake, real))
    assert fidelity_terms(Fidelity(blur_l1=1, blur_px=4), fake, real)["blur_l1"] < 0.5 * sharp
    halves = torch.cat([fake, fake.roll(2, 2)], 3)
    for block, zero in ((0, False), (24, True)):
        settings = Fidelity(shift_l1=1, shift_block_px=block)
        found = fidelity_terms(settings, torch.cat([fake, fake], 3), halves)["shift_l1"].item()
        assert (found < 0.05) == zero


@pytest.mark.parametrize(("values", "message"), [({"l1": -1}, "greater than or equal"), ({"l2": 1}, "l2")])
def test_wrong_weights_are_refused(values: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        validate(Fidelity, values, origin="test")


def test_ndvi_needs_its_source() -> None:
    with pytest.raises(ValueError, match="expected the source for ndvi"):
        fidelity_terms(Fidelity(ndvi=1), *pictures()[:2])


@every_term
def test_equal_pictures_cost_nothing(name: str) -> None:
    _, real, source = pictures()
    for valid in (None, ragged_mask()):
        assert term(name, real, real, source=source, valid=valid).item() == pytest.approx(0, abs=1e-6)


@every_term
def test_nodata_changes_neither_value_nor_gradient(name: str) -> None:
    fake, real, source = pictures()
    valid, results = ragged_mask(), []
    for filling in (0.3, torch.nan):
        values = [image.where(valid, filling) for image in (fake, real, source)]
        leaf = values[0].requires_grad_(True)
        loss = term(name, leaf, values[1], source=values[2], valid=valid)
        loss.backward()
        results.append((loss.detach(), leaf.grad))
    torch.testing.assert_close(results[0], results[1], rtol=0, atol=0)
    assert torch.isfinite(results[1][1]).all()
    assert not results[1][1][~valid.expand(-1, 3, -1, -1)].any()


@every_term
def test_the_result_does_not_depend_on_how_a_batch_is_divided(name: str) -> None:
    fake, real, source = pictures()
    for valid in (None, ragged_mask()):
        single = [
            term(name, fake[i : i + 1], real[i : i + 1], source=source[i : i + 1], valid=part)
            for i, part in enumerate([None] * 3 if valid is None else valid.split(1))
        ]
        whole = term(name, fake, real, source=source, valid=valid)
        torch.testing.assert_close(whole, torch.stack(single).mean(), rtol=1e-5, atol=1e-6)


@every_term
def test_a_picture_without_data_costs_nothing(name: str) -> None:
    fake, real, source = pictures(1)
    fake.requires_grad_(True)
    loss = term(name, fake, real, source=source, valid=torch.zeros(1, 1, 24, 24, dtype=torch.bool))
    loss.backward()
    assert loss.item() == pytest.approx(0, abs=1e-6)
    assert not fake.grad.any()


@every_term
def test_half_precision_is_compared_in_float32(name: str) -> None:
    fake, real, source = (image.bfloat16() for image in pictures())
    wide = term(name, fake.float(), real.float(), source=source.float())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = term(name, fake.float(), real.float(), source=source.float())
        half = term(name, fake, real, source=source)
    assert (loss.dtype, half.dtype) == (torch.float32, torch.float32)
    torch.testing.assert_close(loss, wide, rtol=1e-6, atol=1e-7)
    torch.testing.assert_close(half, wide, rtol=2e-2, atol=2e-3)  # [-1, 1] -> [0, 1] is rounded before


@pytest.mark.gradcheck
@every_term
@pytest.mark.parametrize("masked", [False, True])
def test_gradients(name: str, masked: bool) -> None:
    # one pixel beside a random picture: the kinks of absolute values are far away
    fake, real, source = (image.double() for image in pictures(2, 12))
    valid = ragged_mask(2, 12) if masked else None
    if valid is not None:
        valid[:, :, 5, 5] = True

    def loss(pixel: torch.Tensor) -> torch.Tensor:
        changed = fake.clone()
        changed[:, :, 5, 5] = pixel
        return term(name, changed, real, source=source, valid=valid)

    assert torch.autograd.gradcheck(loss, (fake[:, :, 5, 5].clone().requires_grad_(True),), eps=1e-7, atol=1e-6)


@every_term
def test_descent_reduces_it(name: str) -> None:
    fake, real, source = pictures(1)
    before = term(name, fake, real, source=source)
    fake.requires_grad_(True)
    (slope,) = torch.autograd.grad(term(name, fake, real, source=source), fake)
    step = 1e-3 * slope / slope.abs().max()
    assert term(name, fake.detach() - step, real, source=source) < before
