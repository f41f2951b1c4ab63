"""Every registered model can leave Python: what torch.export traces of its colorizing gives the same picture."""

import pytest
import torch
from torch import nn

from nirtrans.models import MODELS, System, build_system
from nirtrans.nn.norms import freeze_statistics
from tests.models.tiny import tiny_run


class Colorizer(nn.Module):
    """What is exported: `colorize` of a system, as a module."""

    def __init__(self, system: System) -> None:
        super().__init__()
        self.system = system

    def forward(self, source: torch.Tensor) -> torch.Tensor:
        return self.system.colorize(source)


@pytest.mark.parametrize("name", MODELS.names())
def test_the_exported_program_gives_the_same_picture(name: str) -> None:
    system = build_system(tiny_run(name)).eval()
    source, other = torch.rand(2, 1, system.in_channels, 32, 64)
    for freeze in (False, True):  # statistics of the picture, then those of a scene
        if freeze:
            freeze_statistics(system, source, forward=system.colorize)
        program = torch.export.export(Colorizer(system), (source,)).module()
        with torch.no_grad():
            torch.testing.assert_close(program(other), system.colorize(other), rtol=1e-5, atol=1e-6)
