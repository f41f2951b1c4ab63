"""Systems that say how likely each bin is: what evaluation asks them, and that hints reach it."""

import pytest
import torch

from nirtrans.color.guidance import Guidance, no_guidance
from nirtrans.models import MODELS, build_system
from nirtrans.models.chroma_system import ChromaSystem
from tests.models.tiny import tiny_run


def chroma_systems(*, bins: bool) -> list[str]:
    found = {name: MODELS.find(name) for name in MODELS.names()}
    return [name for name, kind in found.items() if issubclass(kind, ChromaSystem) and (kind.bins is not None) == bins]


def test_the_systems_that_classify_are_known() -> None:
    assert {"zhang2016", "zhang2017"} <= set(chroma_systems(bins=True))


@pytest.mark.parametrize("name", chroma_systems(bins=True))
def test_logits_are_of_the_bins_that_the_system_names(name: str) -> None:
    system = build_system(tiny_run(name)).eval()
    assert isinstance(system, ChromaSystem)
    assert system.bins is not None
    source = torch.rand(2, 1, 32, 64)
    with torch.no_grad():
        logits = system.predict_logits(source)
        told = system.predict_logits(source, no_guidance(source))
    assert logits.shape[:2] == (2, len(system.bins))
    assert logits.shape[2] * 2 == logits.shape[3], "the shape of the picture"
    assert torch.isfinite(logits).all()
    assert torch.equal(logits, told), "to say nothing is to give no hints"
    if "points" in system.guidance:
        ab, mask = torch.full((2, 2, 32, 64), 60.0), torch.ones(2, 1, 32, 64)
        with torch.no_grad():
            assert not torch.equal(logits, system.predict_logits(source, Guidance(ab, mask)))


@pytest.mark.parametrize("name", chroma_systems(bins=False))
def test_others_say_that_they_predict_none(name: str) -> None:
    system = build_system(tiny_run(name)).eval()
    assert isinstance(system, ChromaSystem)
    with pytest.raises(NotImplementedError, match="predicts no distribution"):
        system.predict_logits(torch.rand(1, 1, 32, 32))


def test_zhang2016_decodes_the_logits_that_it_shows() -> None:
    system = build_system(tiny_run("zhang2016")).eval()
    assert isinstance(system, ChromaSystem)
    assert system.bins is not None
    source = torch.rand(1, 1, 32, 32)
    with torch.no_grad():
        assert torch.allclose(system.bins.decode(system.predict_logits(source)), system.predict(source), atol=1e-4)
