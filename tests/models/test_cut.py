"""CUT: parameters, what PatchNCE compares, its weights, and the fast variant."""

import math

import pytest
import torch

from nirtrans.config_files import resolve_run
from nirtrans.errors import ConfigError
from nirtrans.models import System, build_system, count_parameters
from nirtrans.models.cut import CUT
from nirtrans.models.halo import probe
from tests.models.tiny import tiny_batch, tiny_run


def system(**network: object) -> System:
    return build_system(tiny_run("cut", **network))


def terms(cut: System, **batch: bool) -> dict[str, float]:
    torch.manual_seed(0)
    sample = tiny_batch(1, **batch)
    found = cut.losses("generator", sample, cut.forward_train(sample))
    return {name: value.item() for name, value in found.items()}


def test_full_size_networks_have_the_parameters_of_their_tables() -> None:
    with torch.device("meta"):
        full = build_system(resolve_run("cut"))
    heads = sum(inputs * 256 + 256 + 256 * 256 + 256 for inputs in (1, 128, 256, 256, 256))
    counts = {name: count_parameters(getattr(full, name)) for name in full.network_names()}
    assert counts == {"to_rgb": 11_371_907, "heads": heads, "critic_rgb": 2_764_737}
    reach = probe(full)
    assert (reach.radius_px, reach.stride_px) == (86, 4)


def test_the_published_settings_are_the_defaults_and_those_of_fastcut_ship() -> None:
    params = CUT.Params()
    assert (params.taps, params.patches, params.temperature) == ((0, 4, 8, 12, 16), 256, 0.07)
    assert (params.nce, params.identity, params.mirror) == (1, 1, False)
    fast = resolve_run("fastcut")
    assert (fast.model, fast.train.constant_share) == ("cut", 0.75)
    assert fast.network == {"nce": 10, "identity": 0, "mirror": True}


@pytest.mark.parametrize(("term", "setting"), [("nce", "nce"), ("identity", "identity")])
def test_a_weight_scales_its_term_alone(term: str, setting: str) -> None:
    once, thrice = terms(system(**{setting: 1.0})), terms(system(**{setting: 3.0}))
    assert thrice.pop(term) == pytest.approx(3 * once.pop(term))
    assert thrice == once


def test_fidelity_joins_where_a_batch_is_aligned() -> None:
    assert set(terms(system())) == {"gan", "nce", "identity"}
    assert set(terms(system(identity=0))) == {"gan", "nce"}
    faithful = system(fidelity={"l1": 2.0, "histogram": 1.0})
    assert set(terms(faithful)) == {"gan", "nce", "identity", "l1", "histogram"}
    assert set(terms(faithful, paired=False)) == {"gan", "nce", "identity", "histogram"}


def test_the_contrast_by_hand() -> None:
    """Two places, one tap, the picture itself: a generated picture whose luma is exchanged is as wrong as can be."""
    cut, sample = system(taps=[0], patches=1024, identity=0), tiny_batch(1, count=1)
    out = cut.forward_train(sample)
    grey = (2 * sample.source - 1).expand(-1, 3, -1, -1)
    shades = cut.heads([2 * sample.source - 1], [torch.arange(1024)[None]])[0][0].detach()  # [1024, 8]
    scores = (shades @ shades.T / 0.07).double()
    for made, right in ((grey, torch.arange(1024)), (grey.flip(2, 3), torch.arange(1024).flip(0))):
        cost = (scores.logsumexp(1) - scores[torch.arange(1024), right]).mean()
        found = cut.losses("generator", sample, out | {"made": made})["nce"]
        assert found.item() == pytest.approx(cost.item(), rel=1e-4)


def test_queries_and_keys_lie_at_the_same_places() -> None:
    cut, sample = system(), tiny_batch(1)
    seen: list[list[torch.Tensor]] = []
    cut.heads.register_forward_hook(lambda _, inputs, __: seen.append(list(inputs[1])))
    cut.losses("generator", sample, cut.forward_train(sample))
    assert all(torch.equal(*both) for both in zip(*seen, strict=True))
    assert [tuple(places.shape) for places in seen[0]] == [(4, 16)] * 3, "sources and targets, 16 places, three taps"


def test_the_heads_learn_from_queries_and_the_generator_does_not_move_its_keys() -> None:
    cut, sample = system(identity=0), tiny_batch(1)
    out = cut.forward_train(sample)
    out["made"] = out["made"].detach()
    for feature in out["features"]:
        feature.requires_grad_() if feature.is_leaf else feature.retain_grad()
    cut.losses("generator", sample, out)["nce"].backward()
    assert all(feature.grad is None for feature in out["features"])
    assert all(parameter.grad.any() for parameter in cut.heads.parameters())


def test_mirrored_sources_are_turned_back() -> None:
    cut, sample = system(mirror=True, identity=0), tiny_batch(1)
    source = 2 * sample.source - 1
    both = [cut.to_rgb(source), cut.to_rgb(source.flip(3)).flip(3)]
    made = [cut.forward_train(sample)["fake"] for _ in range(12)]
    kinds = [[torch.equal(one, kind) for kind in both].index(True) for one in made]
    assert set(kinds) == {0, 1}
    _, features = cut.to_rgb(source, taps=(0, 4, 12))
    assert all(torch.equal(*pair) for pair in zip(cut.forward_train(sample)["features"], features, strict=True))


def test_places_follow_the_global_generator() -> None:
    cut, sample = system(), tiny_batch(1)
    out = cut.forward_train(sample)
    costs = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        costs.append(cut.losses("generator", sample, out)["nce"].item())
    assert costs[0] == costs[1] != costs[2]


def test_fakes_reach_the_critic_detached() -> None:
    cut, sample = system(), tiny_batch(1)
    sum(cut.losses("discriminator", sample, cut.forward_train(sample)).values()).backward()
    assert {name.split(".")[0] for name, value in cut.named_parameters() if value.grad is not None} == {"critic_rgb"}


@pytest.mark.parametrize("taps", [[0, 13], [4, 4]])
def test_taps_that_are_not_there_or_twice_are_refused(taps: list[int]) -> None:
    with pytest.raises(ConfigError, match=r"network\.taps: expected different steps .* block, 12, got \[\d+, \d+\]"):
        system(taps=taps)


def test_chance_is_the_logarithm_of_the_places() -> None:
    cut, sample = system(norm="none"), tiny_batch(1)
    out = cut.forward_train(sample)
    flat = {"made": torch.zeros_like(out["made"]), "features": [torch.zeros_like(one) for one in out["features"]]}
    found = cut.losses("generator", sample, out | flat)
    assert found["nce"].item() == found["identity"].item() == pytest.approx(math.log(16), rel=1e-5)
