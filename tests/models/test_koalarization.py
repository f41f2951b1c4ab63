"""koalarization: the published number of parameters, its loss, and the vector that it is told."""

import pytest
import torch

from nirtrans.color.chroma import chroma
from nirtrans.config import Run
from nirtrans.models import build_system, count_parameters
from nirtrans.models.halo import probe
from tests.models.tiny import tiny_batch, tiny_run


def test_parameters_as_published() -> None:
    with torch.device("meta"):
        assert count_parameters(build_system(Run(model="koalarization", domain="gray"))) == 6_574_050


def test_without_a_classifier_it_sees_its_surroundings_alone() -> None:
    reach = probe(build_system(tiny_run("koalarization", classes=0)))
    assert (reach.bounded, reach.stride_px) == (True, 8)
    assert reach.halo_px < 100


def test_the_loss_is_the_squared_error_of_the_scaled_chroma() -> None:
    system, batch = build_system(tiny_run("koalarization", classes=0)), tiny_batch(1)
    truth = torch.nn.functional.avg_pool2d(chroma(batch.target), 2)
    terms = system.losses("generator", batch, system.forward_train(batch))
    assert set(terms) == {"mse"}, "without classes there is no term of them"
    torch.testing.assert_close(terms["mse"], ((system.predict(batch.source) - truth) / 110).square().mean())


def test_it_begins_near_grey() -> None:
    system = build_system(Run(model="koalarization", domain="gray", network={"width": 8})).eval()
    assert system.predict(torch.rand(1, 1, 32, 32)).abs().max() < 30


def test_features_of_python_code_decide_the_colours_and_are_learnt_with() -> None:
    system = build_system(tiny_run("koalarization", classes=0)).eval()
    source, features = torch.rand(2, 1, 16, 16), torch.rand(2, 3)
    zeros = system.predict(source, features=torch.zeros(2, 3))
    assert torch.equal(system.predict(source), zeros)
    assert not torch.equal(system.predict(source, features=features), zeros)
    batch = tiny_batch(1)
    plain = system.forward_train(batch)["ab"]
    batch.extra["features"] = features
    assert not torch.equal(system.forward_train(batch)["ab"], plain)
    with pytest.raises(ValueError, match=r"features: expected \[N, 3\], got \[2, 4\]"):
        system.predict(source, features=torch.rand(2, 4))


def test_the_classifier_makes_the_vector_and_learns_labels() -> None:
    system, batch = build_system(tiny_run("koalarization")).eval(), tiny_batch(1)
    out = system.forward_train(batch)
    assert out["logits"].shape == (2, 2)
    term = system.losses("generator", batch, out)["class"]
    expected = 0.01 * torch.nn.functional.cross_entropy(out["logits"], torch.tensor([0, 1]))
    torch.testing.assert_close(term, expected)
    vector, _ = system.to_ab.classifier(torch.zeros(1, 1, 32, 32))
    assert vector.shape == (1, 3, 1, 1)
