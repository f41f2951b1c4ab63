"""Divergence of latent codes: value by hand, and places without data."""

import torch

from nirtrans.losses.latent import code_divergence


def test_twice_the_divergence_from_the_standard_normal() -> None:
    code = torch.tensor([0.0, 1.0, -3.0]).view(1, 3, 1, 1)
    latent, prior = torch.distributions.Normal(code, 1.0), torch.distributions.Normal(0.0, 1.0)
    torch.testing.assert_close(code_divergence(code), 2 * torch.distributions.kl_divergence(latent, prior).mean())


def test_places_without_data_do_not_count() -> None:
    code = torch.ones(2, 4, 2, 2)
    code[..., 1] = 7
    valid = torch.ones(2, 1, 8, 8, dtype=torch.bool)
    valid[..., 5:] = False  # the right cells are valid in part
    assert code_divergence(code, valid).item() == 1
    assert code_divergence(code, torch.zeros_like(valid)).item() == 0
