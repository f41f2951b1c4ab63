"""UNIT: the table of its parameters, what each loss term measures, and that the latent space is shared."""

import pytest
import torch

from nirtrans.config_files import resolve_run
from nirtrans.errors import ConfigError
from nirtrans.models import System, build_system, count_parameters
from nirtrans.models.halo import probe
from tests.models.tiny import tiny_batch, tiny_run


def system(**network: object) -> System:
    return build_system(tiny_run("unit", **network))


def terms(unit: System, **batch: bool) -> dict[str, float]:
    torch.manual_seed(0)
    sample = tiny_batch(1, **batch)
    found = unit.losses("generator", sample, unit.forward_train(sample))
    return {name: value.item() for name, value in found.items()}


def test_full_size_networks_have_the_parameters_of_their_tables() -> None:
    with torch.device("meta"):
        full = build_system(resolve_run("unit"))
    block = 2 * (9 * 192 * 192 + 192)
    halve = (16 * 48 * 96 + 96) + (16 * 96 * 192 + 192)
    double = (9 * 192 * 96 + 96) + (9 * 96 * 48 + 48)
    assert {name: count_parameters(getattr(full, name)) for name in full.phases["generator"]} == {
        "from_source": 49 * 48 + 48 + halve + 3 * block,
        "from_rgb": 49 * 3 * 48 + 48 + halve + 3 * block,
        "encode": block,
        "decode": block,
        "to_source": 3 * block + double + 49 * 48 + 1,
        "to_rgb": 3 * block + double + 3 * 49 * 48 + 3,
    }
    reach = probe(full)
    assert (reach.radius_px, reach.stride_px) == (78, 4)


def test_the_weights_are_those_of_the_paper() -> None:
    params = system().params
    weights = (params.gan_weight, params.kl, params.recon, params.cycle_kl, params.cycle)
    assert weights == (10, 0.1, 100, 0.1, 100)


@pytest.mark.parametrize(
    ("term", "setting"), [("recon", "recon"), ("kl", "kl"), ("cycle", "cycle"), ("cycle_kl", "cycle_kl")]
)
def test_a_weight_scales_its_term_alone(term: str, setting: str) -> None:
    once, thrice = terms(system(**{setting: 1.0})), terms(system(**{setting: 3.0}))
    assert thrice.pop(term) == pytest.approx(3 * once.pop(term))
    assert thrice == once


def test_terms_by_hand() -> None:
    unit, sample = system(), tiny_batch(1)
    out = unit.forward_train(sample)
    out |= {"same_source": out["source"] + 0.5, "same_rgb": out["rgb"] - 0.25}
    out |= {"cycle_source": out["source"], "cycle_rgb": out["rgb"] + 1}
    out |= {"codes": [torch.full((2, 4, 8, 8), 2.0), torch.zeros(2, 4, 8, 8)]}
    out |= {"cycle_codes": [torch.ones(2, 4, 8, 8), torch.ones(2, 4, 8, 8)]}
    found = unit.losses("generator", sample, out)
    values = {name: found[name].item() for name in ("recon", "kl", "cycle", "cycle_kl")}
    assert values == pytest.approx({"recon": 100 * 0.75, "kl": 0.1 * 4, "cycle": 100, "cycle_kl": 0.1 * 2}, rel=1e-5)


def test_fidelity_joins_where_a_batch_is_aligned() -> None:
    plain = {"gan_rgb", "gan_source", "recon", "kl", "cycle", "cycle_kl"}
    assert set(terms(system())) == plain
    faithful = system(fidelity={"l1": 2.0, "histogram": 1.0})
    assert set(terms(faithful)) == plain | {"l1", "histogram"}
    assert set(terms(faithful, paired=False)) == plain | {"histogram"}


def test_training_draws_noise_and_colorizing_does_not() -> None:
    unit, sample = system(), tiny_batch(1)
    drawn = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        drawn.append(unit.forward_train(sample)["fake_rgb"])
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
    state = torch.get_rng_state()
    unit.colorize(sample.source)
    assert torch.equal(torch.get_rng_state(), state)


def test_both_sides_use_the_shared_blocks() -> None:
    unit, sample = system(), tiny_batch(1)
    calls = {"encode": 0, "decode": 0}
    for name in calls:
        getattr(unit, name).register_forward_hook(lambda *_, name=name: calls.update({name: calls[name] + 1}))
    unit.forward_train(sample)
    assert calls == {"encode": 4, "decode": 4}, "two pictures and their two translations"


def test_fakes_reach_the_critics_detached() -> None:
    unit, sample = system(), tiny_batch(1)
    sum(unit.losses("discriminator", sample, unit.forward_train(sample)).values()).backward()
    touched = {name.split(".")[0] for name, value in unit.named_parameters() if value.grad is not None}
    assert touched == {"critic_rgb", "critic_source"}


def test_more_shared_blocks_than_there_are_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"network\.shared: must not exceed network\.blocks 2, got 3"):
        system(blocks=2, shared=3)
