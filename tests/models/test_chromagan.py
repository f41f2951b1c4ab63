"""chromagan: the published numbers of parameters, its losses, and what the critic is shown."""

import pytest
import torch
import torch.nn.functional as F

from nirtrans.color.chroma import chroma, lightness
from nirtrans.config_files import resolve_run
from nirtrans.models import build_system, count_parameters
from tests.models.tiny import tiny_batch, tiny_run


@pytest.mark.parametrize(
    ("pooling", "classes", "parameters"),
    [("flatten", 1000, 171_166_090), ("average", 1000, 45_336_970), ("average", 0, 22_357_410)],
)
def test_parameters_as_published(pooling: str, classes: int, parameters: int) -> None:
    with torch.device("meta"):
        system = build_system(
            resolve_run("chromagan", overrides=[f"network.pooling={pooling}", f"network.classes={classes}"])
        )
    assert count_parameters(system.to_ab) == parameters
    assert count_parameters(system.critic) == 2_764_737


def test_losses_by_their_formulas() -> None:
    system, batch = build_system(tiny_run("chromagan", adversarial=0.1)).eval(), tiny_batch(1)
    out = system.forward_train(batch)
    ab, truth = system.predict(batch.source), F.avg_pool2d(chroma(batch.target), 2)
    fake, real = (F.interpolate((x + 128) / 127.5 - 1, scale_factor=2, mode="bilinear") for x in (ab, truth))
    light = lightness(batch.source) / 50 - 1
    (judged_fake,), (judged_real,) = (system.critic(torch.cat([light, x], 1)) for x in (fake, real))
    terms = system.losses("generator", batch, out)
    torch.testing.assert_close(terms["mse"], ((ab - truth) / 255).square().mean())
    torch.testing.assert_close(terms["class"], 0.003 * F.cross_entropy(out["logits"], torch.tensor([0, 1])))
    torch.testing.assert_close(terms["gan"], -0.1 * judged_fake.mean())
    critic = system.losses("discriminator", batch, out)
    assert set(critic) == {"critic", "critic_penalty"}
    torch.testing.assert_close(critic["critic"], judged_fake.mean() - judged_real.mean())


def test_without_a_critic_it_is_a_regression() -> None:
    system, batch = build_system(tiny_run("chromagan", adversarial=0, classes=0)), tiny_batch(1)
    assert system.phases == {"generator": ("to_ab",)}
    assert not hasattr(system, "critic")
    assert set(system.losses("generator", batch, system.forward_train(batch))) == {"mse"}


@pytest.mark.parametrize("pooling", ["average", "flatten"])
def test_every_size_fits(pooling: str) -> None:
    system = build_system(tiny_run("chromagan", pooling=pooling, global_px=64)).eval()
    assert system.predict(torch.rand(1, 1, 40, 72)).shape == (1, 2, 20, 36)
