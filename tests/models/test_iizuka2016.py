"""iizuka2016: the published number of parameters, its losses, and what the whole picture tells each place."""

import pytest
import torch
import torch.nn.functional as F

from nirtrans.color.chroma import chroma
from nirtrans.config import Run
from nirtrans.errors import ConfigError
from nirtrans.models import build_system, count_parameters
from tests.models.tiny import tiny_batch, tiny_run


def test_parameters_as_published() -> None:
    with torch.device("meta"):
        system = build_system(Run(model="iizuka2016", domain="gray", network={"classes": 205}))
    assert count_parameters(system) == 42_367_343


def test_losses_by_their_formulas() -> None:
    system, batch = build_system(tiny_run("iizuka2016")).eval(), tiny_batch(1)
    out = system.forward_train(batch)
    terms = system.losses("generator", batch, out)
    truth = F.avg_pool2d(chroma(batch.target), 2)
    torch.testing.assert_close(terms["mse"], ((system.predict(batch.source) - truth) / 255).square().mean())
    torch.testing.assert_close(terms["class"], F.cross_entropy(out["logits"], torch.tensor([0, 1])) / 300)


def test_without_classes_there_is_no_head_and_no_term() -> None:
    system, batch = build_system(tiny_run("iizuka2016", classes=0)), tiny_batch(1)
    assert set(system.losses("generator", batch, system.forward_train(batch))) == {"mse"}
    assert not [name for name, _ in system.named_parameters() if "class_head" in name]


def test_a_far_corner_decides_everywhere() -> None:
    system = build_system(tiny_run("iizuka2016")).eval()
    source = torch.rand(1, 1, 64, 256)
    changed = source.clone()
    changed[..., :32] = 1 - changed[..., :32]
    difference = (system.predict(source) - system.predict(changed)).abs()[..., -8:]
    assert difference.max() > 0


def test_a_picture_of_the_global_size_is_looked_at_once() -> None:
    system = build_system(tiny_run("iizuka2016", global_px=32)).eval()
    calls: list[tuple[int, ...]] = []
    system.to_ab.low.register_forward_hook(lambda _, args, __: calls.append(tuple(args[0].shape[2:])))
    system.predict(torch.rand(1, 1, 32, 32))
    system.predict(torch.rand(1, 1, 32, 48))
    assert calls == [(32, 32), (32, 48), (32, 32)]


def test_another_picture_lends_its_style() -> None:
    system = build_system(tiny_run("iizuka2016")).eval()
    source, style = torch.rand(1, 1, 32, 32), torch.rand(1, 1, 48, 40)
    assert torch.equal(system.predict(source, style=source), system.predict(source))
    assert not torch.equal(system.predict(source, style=style), system.predict(source))


def test_a_global_size_that_cannot_be_halved_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"network.global_px: .*multiple of 8, got 100"):
        build_system(tiny_run("iizuka2016", global_px=100))
