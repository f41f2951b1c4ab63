"""zhang2016: the published number of parameters, its loss, and what decoding does."""

import torch
import torch.nn.functional as F

from nirtrans.color.bins import AB313
from nirtrans.color.chroma import chroma
from nirtrans.config import Run
from nirtrans.data.sample import Batch
from nirtrans.kernels import class_weights, encode_ab
from nirtrans.models import build_system, count_parameters
from nirtrans.models.zhang2016 import Zhang2016
from tests.models.tiny import tiny_batch, tiny_run


def test_parameters_as_published() -> None:
    with torch.device("meta"):
        system = build_system(Run(model="zhang2016", domain="gray"))
    decoder = AB313.centres.numel()  # published as the weights of a 1x1 convolution from 313 bins to a and b
    assert count_parameters(system) + decoder == 32_236_011


def test_it_classifies_every_fourth_pixel() -> None:
    system = build_system(tiny_run("zhang2016")).eval()
    source = torch.rand(1, 1, 32, 64)
    assert system.predict_logits(source).shape == (1, 313, 8, 16)
    assert system.predict(source).shape == (1, 2, 8, 16)


def loss_of(system: Zhang2016, batch: Batch) -> float:
    (loss,) = system.losses("classifier", batch, system.forward_train(batch)).values()
    return loss.item()


def test_the_loss_is_the_weighted_cross_entropy_of_the_soft_target() -> None:
    system = build_system(tiny_run("zhang2016", skip_gray=None)).eval()
    prior = torch.linspace(0, 3, 313).softmax(0)
    system.to_ab.prior.learn(prior)
    batch = tiny_batch(1)
    ab = F.avg_pool2d(chroma(batch.target), 4)
    index, share = encode_ab(ab)
    target = torch.zeros(2, 313, 8, 8).scatter_(1, index, share)
    weight = class_weights(prior)[index[:, 0]]
    expected = -(weight * (target * system.predict_logits(batch.source).log_softmax(1)).sum(1)).mean()
    assert abs(loss_of(system, batch) - expected.item()) < 1e-4


def test_gray_pictures_teach_nothing() -> None:
    system = build_system(tiny_run("zhang2016"))
    gray = tiny_batch(1).source
    assert loss_of(system, Batch(gray, gray.expand(-1, 3, -1, -1))) == 0


def test_the_temperature_goes_from_mode_to_mean() -> None:
    source = torch.rand(1, 1, 32, 32)
    cold, warm = (build_system(tiny_run("zhang2016", temperature=t)).eval() for t in (1e-6, 1.0))
    logits = cold.predict_logits(source)
    assert torch.allclose(cold.predict(source), AB313.decode(logits, how="mode"), atol=0.1)
    assert torch.allclose(warm.predict(source), AB313.decode(logits, how="mean"), atol=1e-4)
