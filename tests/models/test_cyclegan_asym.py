"""The asymmetric CycleGAN: which terms there are, what they weigh, and that the small preset is small."""

import pytest
import torch

from nirtrans.color.luma import with_luma
from nirtrans.config_files import resolve_run
from nirtrans.errors import InputError
from nirtrans.models import System, build_system, count_parameters
from nirtrans.models.halo import probe
from nirtrans.nn.discriminators import FPNDiscriminator, MultiscaleDiscriminator
from nirtrans.nn.generators import UResNet
from tests.models.tiny import tiny_batch, tiny_run

BATCH_NORM = [f"network.{key}=batch" for key in ("norm", "critic_rgb.norm", "critic_nir.norm")]


def terms(system: System, **batch: bool) -> dict[str, float]:
    torch.manual_seed(0)
    sample = tiny_batch(1, **batch)
    out = system.forward_train(sample)
    return {name: value.item() for name, value in system.losses("generator", sample, out).items()}


def system(**network: object) -> System:
    return build_system(tiny_run("cyclegan-asym", train={"pool": 0}, **network))


def test_full_size_networks_have_the_parameters_of_their_tables() -> None:
    with torch.device("meta"):
        full = build_system(resolve_run("cyclegan-asym", overrides=BATCH_NORM))
    counts = {name: count_parameters(getattr(full, name)) for name in full.network_names()}
    assert counts == {"to_rgb": 47_190_595, "to_nir": 13_608_961, "critic_rgb": 7_564_611, "critic_nir": 2_764_481}


@pytest.mark.parametrize(
    ("count", "settings"),
    [
        (33_025_603, ["network.blocks=6"]),
        (48_681_539, ["network.up=convt"]),
        (34_516_547, ["network.up=convt", "network.blocks=6"]),
        (11_752_259, ["network.halvings=2"]),
    ],
)
def test_other_tables_and_the_way_back_is_the_smaller_network(count: int, settings: list[str]) -> None:
    with torch.device("meta"):
        full = build_system(resolve_run("cyclegan-asym", overrides=[*BATCH_NORM, *settings]))
    assert count_parameters(full.to_rgb) == count
    # The light preset alone is smaller than the way back at its full depth.
    assert (count_parameters(full.to_nir) < count) == ("network.halvings=2" not in settings)


def test_critics_are_chosen_by_their_settings() -> None:
    chosen = system(
        critic_rgb={"kind": "multiscale", "scales": 1, "width": 4}, critic_nir={"spectral": True, "width": 4}
    )
    assert isinstance(chosen.critic_rgb, MultiscaleDiscriminator)
    assert any(name.endswith("_u") for name, _ in chosen.critic_nir.named_buffers())
    assert isinstance(system(critic_rgb={"width": 4, "layers": 4}).critic_rgb, FPNDiscriminator), "the kind stays"


def test_a_wasserstein_critic_pays_for_its_slope() -> None:
    for gan, expected in (("lsgan", {"rgb", "nir"}), ("wgan-gp", {"rgb", "rgb_penalty", "nir", "nir_penalty"})):
        built, sample = system(gan=gan), tiny_batch(1, masked=True)
        found = built.losses("discriminator", sample, built.forward_train(sample))
        assert set(found) == expected
        sum(found.values()).backward()
        assert all(value.grad is not None for value in built.critic_rgb.parameters())


def test_pictures_are_held_to_the_truth_only_where_a_batch_is_aligned() -> None:
    paper = {"gan_rgb", "gan_nir", "cycle"}
    assert set(terms(system())) == paper | {"l1", "l1_nir"}
    assert set(terms(system(), paired=False)) == paper
    assert set(terms(system(fidelity={"l1": 0}))) == paper
    assert set(terms(system(fidelity={"angular": 1, "ndvi": 1}))) == paper | {"l1", "l1_nir", "angular", "ndvi"}
    assert set(terms(system(fidelity={"angular": 1, "histogram": 1}), paired=False)) == paper | {"histogram"}
    assert set(terms(system(identity=1), paired=False)) == paper | {"identity"}


@pytest.mark.parametrize(("term", "setting"), [("cycle", "cycle"), ("gan_nir", "nir_weight")])
def test_a_weight_scales_its_term_alone(term: str, setting: str) -> None:
    once, thrice = terms(system(**{setting: 1.0})), terms(system(**{setting: 3.0}))
    assert thrice.pop(term) == pytest.approx(3 * once.pop(term))
    assert thrice == once


def test_the_weight_of_l1_holds_both_ways() -> None:
    once, thrice = (terms(system(fidelity={"l1": weight, "sobel": 1})) for weight in (1.0, 3.0))
    for term in ("l1", "l1_nir"):
        assert thrice.pop(term) == pytest.approx(3 * once.pop(term))
    assert thrice == once


def test_losses_are_zero_where_nothing_is_left_to_learn() -> None:
    nothing, sample = system(), tiny_batch(1)
    out = nothing.forward_train(sample)
    out |= {"fake_rgb": out["rgb"], "fake_nir": out["nir"], "cycle_nir": out["nir"], "cycle_rgb": out["rgb"]}
    perfect = nothing.losses("generator", sample, out)
    assert perfect["cycle"].item() == perfect["l1"].item() == perfect["l1_nir"].item() == 0


def test_critics_judge_remembered_pictures() -> None:
    pooled = build_system(tiny_run("cyclegan-asym", train={"pool": 2}))
    sample = tiny_batch(1)
    pooled.losses("discriminator", sample, pooled.forward_train(sample))
    assert len(pooled.pool_rgb.images) == len(pooled.pool_nir.images) == 2


def test_fakes_reach_the_critics_detached() -> None:
    detached, sample = system(), tiny_batch(1)
    out = detached.forward_train(sample)
    sum(detached.losses("discriminator", sample, out).values()).backward()
    assert all(parameter.grad is None for parameter in (*detached.to_rgb.parameters(), *detached.to_nir.parameters()))


def test_a_crop_that_does_not_fit_names_one_that_does() -> None:
    shallow = build_system(tiny_run("cyclegan-asym", back_depth=6))
    with pytest.raises(InputError, match=r"size 32x32 does not fit UNet \(6 halvings\); use multiples of 64: 64x64"):
        shallow.forward_train(tiny_batch(1))


def test_the_small_preset_is_asymmetric_too() -> None:
    with torch.device("meta"):
        small = build_system(resolve_run("cyclegan-asym-small"))
    assert count_parameters(small.to_nir) < 2 * count_parameters(small.to_rgb)
    assert count_parameters(small) < 5e6


@pytest.mark.parametrize(("blocks", "radius"), [(9, 170), (6, 122)])
def test_a_cell_of_the_full_structure_feels_its_radius_and_no_more(blocks: int, radius: int) -> None:
    network = UResNet(1, 3, width=2, blocks=blocks, norm="none").double()
    for weight in network.parameters():
        weight.data.abs_()  # positive, without bias: a column of ones is felt exactly if it is within reach
    cell = slice(2 * 88, 2 * 88 + 8)
    with torch.no_grad():
        for distance in (radius, radius + 1):
            for column in (cell.start - distance, cell.stop - 1 + distance):
                source = torch.zeros(1, 1, 16, 2 * 176 + 8, dtype=torch.float64)
                source[..., column] = 1
                assert bool(network(source)[..., cell].any()) == (distance <= radius)


@pytest.mark.parametrize("luma", ["copy", "blend"])
def test_lightness_of_the_source_moves_neither_the_halo_nor_the_training(luma: str) -> None:
    plain, shown = system(norm="none"), system(norm="none", luma=luma)
    assert probe(shown) == probe(plain)
    assert terms(shown) == terms(plain)
    source = torch.rand(1, 1, 32, 32)
    with torch.no_grad():
        expected = with_luma(plain.colorize(source), source, mode=luma, share=0.5)
        torch.testing.assert_close(shown.colorize(source), expected)
        assert not torch.allclose(shown.colorize(source), plain.colorize(source), atol=1e-2)


def test_lightness_is_blended_by_its_share() -> None:
    source = torch.rand(1, 1, 32, 32)
    with torch.no_grad():
        copied, wholly = (system(luma=mode, luma_share=1.0).colorize(source) for mode in ("copy", "blend"))
    torch.testing.assert_close(wholly, copied)
