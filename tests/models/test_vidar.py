"""vidar: its size, its attention, and its one loss."""

import pytest
import torch

from nirtrans.color.chroma import chroma
from nirtrans.color.guidance import Guidance, no_guidance
from nirtrans.config import Run
from nirtrans.losses.masked import masked_rmse
from nirtrans.models import build_system, count_parameters
from nirtrans.nn.channel_attention import ChannelAttentionBlock
from tests.models.tiny import tiny_batch, tiny_run


def test_the_full_network_is_as_large_as_the_report_suggests() -> None:
    with torch.device("meta"):
        assert count_parameters(build_system(Run(model="vidar", domain="gray"))) == 28_525_554


def test_attention_scales_channels_by_the_whole_picture() -> None:
    block = ChannelAttentionBlock(32)
    x = torch.randn(2, 32, 8, 8)
    found = block.last(block.first(x).relu())
    scale = block.attention(found)
    assert scale.shape == (2, 32, 1, 1)
    torch.testing.assert_close(block(x), x + scale * found)
    assert block.attention[1].out_channels == 2  # 32 / 16


def test_the_loss_is_the_root_of_the_mean_square_of_each_picture() -> None:
    system, batch = build_system(tiny_run("vidar")), tiny_batch(1, masked=True)
    error = torch.tensor([0.3, 0.5]).view(2, 1, 1, 1)
    real = chroma(batch.target) / 110
    terms = system.losses("generator", batch, {"real": real, "fake": real + error})
    assert {name: term.item() for name, term in terms.items()} == pytest.approx({"rmse": 0.4}, abs=2e-4)


def test_only_a_network_that_learnt_hints_takes_them() -> None:
    known = Guidance(torch.full((1, 2, 32, 32), 30.0), torch.ones(1, 1, 32, 32))
    source = torch.rand(1, 1, 32, 32)
    for kind, accepted in ((None, set()), ("pixels", {"points"})):
        system = build_system(tiny_run("vidar", hints=kind)).eval()
        with torch.no_grad():
            plain, guided = system.predict(source), system.predict(source, known)
            nothing = system.predict(source, no_guidance(source))
        assert system.guidance == accepted
        assert torch.equal(plain, nothing)
        assert torch.equal(plain, guided) == (kind is None)


def test_hints_of_training_are_true_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    system, batch = build_system(tiny_run("vidar", hints="pixels")), tiny_batch(1, masked=True)
    seen = []
    network = system.to_ab.forward
    monkeypatch.setattr(system.to_ab, "forward", lambda light, hints: seen.append(hints) or network(light, hints))
    out = system.forward_train(batch)
    mask, ab = seen[0][:, 2:].bool(), seen[0][:, :2]
    assert 1 <= mask.sum() <= 2 * 15
    assert not mask[~batch.valid].any()
    torch.testing.assert_close(ab, (chroma(batch.target) / 110).where(mask, 0.0))
    assert torch.equal(
        system.losses("generator", batch, out)["rmse"], masked_rmse(out["fake"], out["real"], batch.valid)
    )


def test_an_untrained_network_is_almost_grey() -> None:
    with torch.no_grad():
        ab = build_system(tiny_run("vidar", width=16)).predict(torch.rand(1, 1, 32, 32))
    assert 0 < ab.abs().max() < 10
