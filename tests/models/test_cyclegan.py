"""CycleGAN: its tables, each term by its formula, and the identity of grey pictures."""

import pytest
import torch

from nirtrans.color.luma import luma
from nirtrans.config_files import resolve_run
from nirtrans.models import System, build_system, count_parameters
from nirtrans.models.halo import probe
from tests.models.tiny import tiny_batch, tiny_run


def system(**network: object) -> System:
    return build_system(tiny_run("cyclegan", train={"pool": 0}, **network))


def terms(built: System, phase: str, **batch: bool) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    torch.manual_seed(0)
    sample = tiny_batch(1, **({"paired": False} | batch))
    out = built.forward_train(sample)
    return built.losses(phase, sample, out), out


def test_full_size_networks_have_the_parameters_of_the_paper() -> None:
    run = resolve_run("cyclegan")
    with torch.device("meta"):
        full = build_system(run)
        papers = build_system(resolve_run("cyclegan", overrides=["network.up=convt3"]))
    counts = {name: count_parameters(getattr(full, name)) for name in full.network_names()}
    assert counts == {"to_rgb": 11_371_907, "to_nir": 11_371_905, "critic_rgb": 2_764_737, "critic_nir": 2_762_689}
    assert {name: count_parameters(getattr(papers, name)) for name in papers.network_names()} == counts
    assert (run.train.pool, run.train.batch, run.data.pairing) == (50, 1, "unpaired")
    assert (run.train.optimizer.lr, run.train.optimizer.betas, run.train.constant_share) == (2e-4, (0.5, 0.999), 0.5)


def test_a_cell_sees_as_far_as_nine_blocks_reach() -> None:
    with torch.device("meta"):
        papers = build_system(resolve_run("cyclegan", overrides=["network.up=convt3"]))
    reach = probe(papers)
    assert (reach.stride_px, reach.bounded) == (4, True)
    assert reach.radius_px == 83, "half of a receptive field of 167 px"


def test_the_generators_pay_for_verdict_cycle_and_identity() -> None:
    built = system()
    found, out = terms(built, "generator")
    assert set(found) == {"gan_rgb", "gan_nir", "cycle", "identity"}
    (rgb,), (nir,) = built.critic_rgb(out["fake_rgb"]), built.critic_nir(out["fake_nir"])
    torch.testing.assert_close(found["gan_rgb"], (rgb - 1).square().mean())
    torch.testing.assert_close(found["gan_nir"], (nir - 1).square().mean())
    back = (out["cycle_nir"] - out["nir"]).abs().mean() + (out["cycle_rgb"] - out["rgb"]).abs().mean()
    torch.testing.assert_close(found["cycle"], 10 * back)
    kept_nir = (built.to_nir(out["nir"].expand(-1, 3, -1, -1)) - out["nir"]).abs().mean()
    brightness = luma(out["rgb"])
    kept_luma = (luma(built.to_rgb(brightness)) - brightness).abs().mean()
    torch.testing.assert_close(found["identity"], 5 * (kept_nir + kept_luma))


def test_the_critics_pay_half_the_sum_of_their_errors() -> None:
    built = system()
    found, out = terms(built, "discriminator")
    for side, critic in (("rgb", built.critic_rgb), ("nir", built.critic_nir)):
        (real,), (fake,) = critic(out[side]), critic(out[f"fake_{side}"])
        torch.testing.assert_close(found[side], ((real - 1).square().mean() + fake.square().mean()) / 2)


@pytest.mark.parametrize(
    ("network", "paired", "expected"),
    [
        ({"identity": 0}, False, {"gan_rgb", "gan_nir", "cycle"}),
        ({"identity": 0, "fidelity": {"l1": 3}}, False, {"gan_rgb", "gan_nir", "cycle"}),
        ({"identity": 0, "fidelity": {"l1": 3}}, True, {"gan_rgb", "gan_nir", "cycle", "l1"}),
        ({}, True, {"gan_rgb", "gan_nir", "cycle", "identity"}),
    ],
)
def test_terms_are_there_when_they_are_asked_for(network: dict, paired: bool, expected: set) -> None:
    assert set(terms(system(**network), "generator", paired=paired)[0]) == expected


def test_a_generator_that_keeps_grey_pictures_pays_no_identity() -> None:
    built, sample = system(), tiny_batch(1)
    out = built.forward_train(sample)
    out |= {"same_nir": out["nir"], "same_luma": out["luma"]}
    assert built.losses("generator", sample, out)["identity"].item() == 0
    assert out["luma"].shape == (2, 1, 32, 32)


def test_critics_remember_and_fakes_reach_them_detached() -> None:
    built, sample = build_system(tiny_run("cyclegan", train={"pool": 2})), tiny_batch(1, paired=False)
    sum(built.losses("discriminator", sample, built.forward_train(sample)).values()).backward()
    assert len(built.pool_rgb.images) == len(built.pool_nir.images) == 2
    assert all(value.grad is None for value in (*built.to_rgb.parameters(), *built.to_nir.parameters()))
