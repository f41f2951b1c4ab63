"""Noise by place: a normal field that tiles share, on which only place and seed have a say."""

import torch

from nirtrans.nn.noise import PixelNoise, Place, normal_field, placed


def field(first: int = 0, count: int = 256, *, seed: int = 0) -> torch.Tensor:
    rows = torch.arange(first, first + count)[None]
    return normal_field(rows, rows, seed=seed)[0]


def test_deviates_are_normal_and_independent_of_their_neighbours() -> None:
    values = field(count=512)
    count = values.numel()
    moments = [values.pow(n).mean().item() for n in (1, 2, 3, 4)]
    spread = [(expected / count) ** 0.5 for expected in (1, 2, 15, 96)]  # standard errors of the first four moments
    for moment, expected, error in zip(moments, (0, 1, 0, 3), spread, strict=True):
        assert abs(moment - expected) < 5 * error
    for other in (values.roll(1, 0), values.roll(1, 1), values.T, field(count=512, seed=1)):
        assert abs((values * other)[values != other].mean()) < 5 / 512
    spectrum = torch.fft.rfft2(values).abs().square() / count
    assert spectrum.flatten()[1:].max() < 25  # exponential of mean 1: e ** -25 each, were it white


def test_a_part_is_cut_out_of_the_whole_however_large_the_scene() -> None:
    assert torch.equal(field()[64:128, 64:128], field(64, 64))
    far = torch.tensor([[10**6, 2**31, 2**31 + 1]])
    assert normal_field(far, far).unique().numel() == 9


def test_the_seed_chooses_the_field() -> None:
    assert torch.equal(field(seed=3), field(seed=3))
    assert not torch.equal(field(seed=3), field(seed=4))


def test_the_layer_scales_and_keeps_the_type() -> None:
    x = torch.zeros(2, 3, 4, 6, dtype=torch.bfloat16)
    assert PixelNoise(0.0)(x).count_nonzero() == 0
    noise = PixelNoise(2.0, seed=5)(x.float())
    rows, columns = torch.arange(4)[None], torch.arange(6)[None]
    expected = 2 * normal_field(rows, columns, seed=5)
    assert torch.equal(noise, expected[:, None].expand(2, 1, 4, 6).float())
    assert PixelNoise(2.0)(x).dtype == torch.bfloat16


def test_each_picture_of_a_batch_has_its_place_for_the_time_of_the_block() -> None:
    layer = PixelNoise(1.0)
    x = torch.zeros(2, 1, 4, 4, dtype=torch.float64)
    place = Place(torch.tensor([[0, 1, 2, 3], [2, 3, 2, 1]]), torch.tensor([[8, 9, 10, 11], [0, 1, 2, 3]]))
    whole = layer(torch.zeros(1, 1, 12, 12, dtype=torch.float64))[0, 0]
    with placed(place):
        first, second = layer(x)[:, 0]
    assert torch.equal(first, whole[:4, 8:])
    assert torch.equal(second, whole[[2, 3, 2, 1], :4])
    assert torch.equal(layer(x)[1, 0], whole[:4, :4])
