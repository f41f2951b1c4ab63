"""From settings to systems: wrong names, domains and sizes are refused in one line."""

import pytest
import torch

from nirtrans.config import DataSettings, Run, Settings
from nirtrans.config_files import resolve_run, shipped
from nirtrans.errors import ConfigError, UnknownNameError
from nirtrans.models import MODELS, build_system, count_parameters, list_models, with_network_defaults
from nirtrans.models.build import check_pairing
from nirtrans.models.system import System
from nirtrans.nn.pool import ImagePool
from tests.models.tiny import tiny_run


def test_models_are_listed_by_domain() -> None:
    assert "cyclegan-asym" in list_models()
    assert "cyclegan-asym" in list_models("nir")
    with pytest.raises(UnknownNameError, match="did you mean nir"):
        list_models("nirr")


def test_an_unknown_model_or_key_proposes_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean cyclegan-asym"):
        build_system(Run(model="cyclegan-asymm", domain="nir"))
    with pytest.raises(ConfigError, match=r"network.widht is not a setting; did you mean network.width"):
        build_system(tiny_run("cyclegan-asym", widht=8))
    with pytest.raises(ConfigError, match=r"network.norm: .*'instance', 'batch', 'group' or 'none', got 'layer'"):
        build_system(tiny_run("cyclegan-asym", norm="layer"))


def test_a_domain_that_a_model_does_not_accept_names_those_that_do(monkeypatch: pytest.MonkeyPatch) -> None:
    class OnlyGray(System):
        domains = frozenset({"gray"})

    monkeypatch.setitem(MODELS._items, "only-gray", OnlyGray)
    with pytest.raises(ConfigError, match=r"only-gray does not accept the domain nir; models that do: .*cyclegan-asym"):
        build_system(Run(model="only-gray", domain="nir"))


def test_a_pairing_that_a_system_cannot_learn_from_names_those_that_can() -> None:
    class OnlyPairs(System):
        pairings = frozenset({"paired"})

    system = OnlyPairs(Settings(), in_channels=1)
    run = Run(model="only-pairs", domain="nir", data={"pairing": "unpaired"})
    with pytest.raises(ConfigError, match=r"learns from paired data, got unpaired; use a model that .*: cut.*cyclegan"):
        check_pairing(run, system)
    check_pairing(run.model_copy(update={"data": run.data.model_copy(update={"pairing": "paired"})}), system)


def test_a_mixed_pairing_that_is_refused_tells_the_ways_out() -> None:
    run = tiny_run("nirtrans-base", adversarial=0.0).model_copy(update={"data": DataSettings(pairing="mixed")})
    with pytest.raises(
        ConfigError, match=r"--set data\.pairing=paired.* or .*: nirtrans-base with other settings.*, cut,"
    ):
        check_pairing(run, build_system(run))


def test_the_name_of_a_config_is_told_from_that_of_a_model() -> None:
    with pytest.raises(UnknownNameError, match=r"fastcut is a config of the model cut, .*; use --config fastcut"):
        build_system(Run(model="fastcut", domain="nir"))


def test_settings_of_earlier_versions_are_told_where_they_went() -> None:
    with pytest.raises(ConfigError, match=r"network\.paired has become network\.fidelity\.l1"):
        build_system(tiny_run("cyclegan-asym", paired=30.0))
    with pytest.raises(ConfigError, match=r"network\.critic_width has become network\.critic_rgb\.width and"):
        build_system(tiny_run("cyclegan-asym", critic_width=16))


def test_weights_beyond_the_memory_are_refused_before_they_are_made() -> None:
    with pytest.raises(ConfigError, match=r"expected weights below the \d+ GB of this machine, got \d+ GB"):
        build_system(tiny_run("cyclegan-asym", width=512, blocks=64, halvings=5))


def test_pools_take_capacity_and_seed_from_the_run() -> None:
    system = build_system(tiny_run("cyclegan-asym", train={"pool": 7, "seed": 3}))
    pools = [(layer.capacity, layer.seed) for layer in system.modules() if isinstance(layer, ImagePool)]
    assert pools == [(7, 3), (7, 3)]


def test_building_leaves_the_global_generator_alone() -> None:
    state = torch.get_rng_state()
    build_system(tiny_run("cyclegan-asym"))
    assert torch.equal(torch.get_rng_state(), state)


def test_defaults_are_written_out() -> None:
    run = with_network_defaults(Run(model="cyclegan-asym", domain="nir"))
    assert run.network["cycle"] == 10
    assert build_system(run.model_copy(update={"network": run.network | {"width": 4, "blocks": 1}}))


@pytest.mark.parametrize("name", shipped())
def test_every_shipped_config_builds(name: str) -> None:
    with torch.device("meta"):
        assert count_parameters(build_system(resolve_run(name))) > 0


@pytest.mark.parametrize("domain", ["gray", "lineart"])
@pytest.mark.parametrize("model", ["nirtrans-base", "pix2pix", "cyclegan", "cyclegan-asym"])
def test_gray_keeps_lightness_and_line_art_its_lines(model: str, domain: str) -> None:
    kept = {"gray": "copy", "lineart": "lines"}[domain]
    for config in (None, f"{model}-small", f"{model}-{domain}"):
        run = resolve_run(config, model=model, flags={"domain": domain})
        assert (run.model, run.domain, run.network["luma"]) == (model, domain, kept)
    assert resolve_run(model=model, flags={"domain": "nir"}).network.get("luma", "predict") == "predict"


def test_configs_of_domains_are_what_their_names_say() -> None:
    names = {f"{model}-{domain}": (model, domain) for model in MODELS.names() for domain in MODELS.find(model).domains}
    found = {name: resolve_run(name) for name in shipped() if name in names}
    assert {name: (run.model, run.domain) for name, run in found.items()} == {name: names[name] for name in found}


def test_recompute_reaches_the_networks_that_can() -> None:
    system = build_system(tiny_run("zhang2016", train={"recompute": True}))
    assert system.get_submodule("to_ab.trunk").recompute
    with pytest.raises(ConfigError, match=r"train\.recompute: no network of pix2pix can"):
        build_system(tiny_run("pix2pix", train={"recompute": True}))
