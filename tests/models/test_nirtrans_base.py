"""nirtrans-base: with and without its discriminator."""

import pytest
import torch

from nirtrans.config import Run
from nirtrans.errors import ConfigError
from nirtrans.kernels import rgb_to_lab
from nirtrans.losses.color import angular_loss
from nirtrans.models import build_system, count_parameters
from nirtrans.models.build import check_pairing
from nirtrans.models.halo import probe
from nirtrans.models.system import System
from tests.models.tiny import tiny_batch, tiny_run

NAME = "nirtrans-base"


def terms_of(system: System, phase: str, *, paired: bool = True) -> dict[str, float]:
    batch = tiny_batch(1, paired=paired)
    return {name: term.item() for name, term in system.losses(phase, batch, system.forward_train(batch)).items()}


def test_without_adversarial_weight_there_is_no_discriminator() -> None:
    system = build_system(Run(model=NAME, domain="nir", network={"width": 4, "depth": 2}))
    assert dict(system.phases) == {"generator": ("to_rgb",)}
    assert not hasattr(system, "critic")
    assert set(terms_of(system, "generator")) == {"l1", "angular"}


def test_each_weight_adds_its_term() -> None:
    network = {"adversarial": 0.5, "features": 2.0, "fidelity": {"l1": 1, "ssim": 0.5, "histogram": 0.1}}
    system = build_system(tiny_run(NAME, **network))
    assert set(terms_of(system, "generator")) == {"l1", "angular", "ssim", "histogram", "gan", "features"}
    assert set(terms_of(system, "generator", paired=False)) == {"histogram", "gan"}
    assert set(terms_of(system, "discriminator")) == {"critic"}


def test_values_of_the_terms() -> None:
    system = build_system(tiny_run(NAME, fidelity={"l1": 2.0, "angular": 3.0}, adversarial=0.5)).eval()
    batch = tiny_batch(1)
    out = system.forward_train(batch)
    terms = system.losses("generator", batch, out)
    fake = (out["fake"] + 1) / 2
    torch.testing.assert_close(terms["l1"], 2 * 2 * (fake - batch.target).abs().mean())
    torch.testing.assert_close(terms["angular"], 3 * angular_loss(fake, batch.target))
    (logits,) = system.critic(out["fake"])
    torch.testing.assert_close(terms["gan"], 0.5 * (logits - 1).square().mean())


def test_unpaired_steps_need_something_that_judges_without_the_truth() -> None:
    mixed = {"pairing": "mixed"}
    plain = tiny_run(NAME, adversarial=0.0).model_copy(update={"data": Run.model_fields["data"].default})
    plain = plain.model_copy(update={"data": plain.data.model_copy(update=mixed)})
    with pytest.raises(ConfigError, match=r"nirtrans-base learns from paired data, got mixed"):
        check_pairing(plain, build_system(plain))
    for network in ({"adversarial": 0.1}, {"adversarial": 0.0, "fidelity": {"histogram": 0.1}}):
        check_pairing(plain, build_system(tiny_run(NAME, **network)))


def test_features_without_a_discriminator_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"features are compared inside the discriminator"):
        build_system(tiny_run(NAME, adversarial=0.0, features=1.0))


def test_lightness_may_come_from_the_source() -> None:
    source = torch.rand(1, 1, 16, 16)
    systems = [build_system(tiny_run(NAME, luma=luma)).eval() for luma in ("predict", "copy")]
    predicted, copied = (rgb_to_lab(system.colorize(source)) for system in systems)
    grey = rgb_to_lab(source.expand(-1, 3, -1, -1))
    torch.testing.assert_close(copied[:, :1], grey[:, :1], atol=0.01, rtol=0)
    assert (predicted - copied)[:, 0].abs().max() > 1


def test_the_default_is_bounded_and_of_moderate_size() -> None:
    system = build_system(Run(model=NAME, domain="nir"))
    assert count_parameters(system) == 7_993_507
    reach = probe(system)
    assert reach.bounded
    assert reach.stride_px == 16
