"""resnet-unet: sizes, the losses of its two stages, and the critic on request."""

import pytest
import torch

from nirtrans.color.chroma import chroma
from nirtrans.config import Run
from nirtrans.losses.structural import ssim_loss
from nirtrans.models import build_system, count_parameters
from tests.models.tiny import tiny_batch, tiny_run


@pytest.mark.parametrize(
    ("encoder", "parameters"), [("resnet18", 15_110_226), ("resnet34", 25_218_386), ("resnet50", 33_303_122)]
)
def test_parameters_follow_the_layer_table(encoder: str, parameters: int) -> None:
    def conv(inputs: int, outputs: int) -> int:
        return 9 * inputs * outputs + outputs + 2 * outputs  # with batch norm

    with torch.device("meta"):
        system = build_system(Run(model="resnet-unet", domain="gray", network={"encoder": encoder}))
    wide = 4 if encoder == "resnet50" else 1
    given, skips, widths = (
        [512 * wide, 256, 128, 64, 32],
        [256 * wide, 128 * wide, 64 * wide, 64, 0],
        [256, 128, 64, 32, 16],
    )
    levels = zip(given, skips, widths, strict=True)
    decoder = sum(
        conv(inputs, width) + conv(width + skip, width) + conv(width, width) for inputs, skip, width in levels
    )
    assert count_parameters(system) == parameters
    assert count_parameters(system.to_ab.encoder) + decoder + 16 * 9 * 2 + 2 == parameters


def test_the_stages_differ_in_their_distance() -> None:
    system, batch = build_system(tiny_run("resnet-unet", ssim=0.5)).eval(), tiny_batch(1)
    out = system.forward_train(batch)
    fake, real = system.predict(batch.source) / 110, chroma(batch.target) / 110
    ssim = 0.5 * ssim_loss((fake + 1) / 2, (real + 1) / 2)
    for phase, distance in (("l1", (fake - real).abs().mean()), ("mse", (fake - real).square().mean())):
        terms = system.losses(phase, batch, out)
        assert set(terms) == {phase, "ssim"}
        torch.testing.assert_close(terms[phase], distance)
        torch.testing.assert_close(terms["ssim"], ssim)


def test_stages_take_turns_and_the_critic_is_in_both() -> None:
    plain = build_system(tiny_run("resnet-unet", ssim=0))
    assert plain.stages == (("l1",), ("mse",))
    adversarial = build_system(tiny_run("resnet-unet", ssim=0, adversarial=0.1))
    assert adversarial.stages == (("l1", "discriminator"), ("mse", "discriminator"))
    assert plain.phases == {"l1": ("to_ab",), "mse": ("to_ab",)}, "one system does not change the next"
    batch = tiny_batch(1)
    out = adversarial.forward_train(batch)
    assert set(adversarial.losses("mse", batch, out)) == {"mse", "gan"}
    assert set(adversarial.losses("discriminator", batch, out)) == {"critic"}
