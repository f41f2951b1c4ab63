"""The model in docs/adding_a_model.md is what the page says: complete."""

import re
from pathlib import Path

import pytest
import torch

from nirtrans.config import Run
from nirtrans.models import MODELS, build_system
from nirtrans.models.halo import probe
from tests.models.tiny import tiny_batch

PAGE = Path(__file__).parents[2] / "docs" / "adding_a_model.md"


def test_the_model_of_the_page_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MODELS, "_items", dict(MODELS._items))
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    exec(compile(code, str(PAGE), "exec"), {"__name__": "page"})
    system = build_system(Run(model="unet-l1", domain="nir", network={"width": 4, "depth": 4}))
    batch = tiny_batch(1, masked=True)
    (loss,) = system.losses("generator", batch, system.forward_train(batch)).values()
    loss.backward()
    assert all(parameter.grad is not None for parameter in system.parameters())
    assert system.colorize(torch.rand(1, 1, 16, 32)).shape == (1, 3, 16, 32)
    assert probe(system).stride_px == 16
