"""The table of gray systems in the documentation holds the numbers of the presets that it speaks of."""

import re
from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from nirtrans.config_files import resolve_run
from nirtrans.models import build_system, count_parameters

PAGE = Path(__file__).parents[2] / "docs" / "colorizing-photos.md"
ROWS = re.findall(r"^\| `([\w-]+)` \|.*\| ([\d.]+) M \| ([\d.]+) \|$", PAGE.read_text(), re.MULTILINE)


ONE_PLANE = {"koalarization", "resnet-unet", "iizuka2016", "chromagan"}
"""Those whose network takes a gray picture and nothing else."""


@pytest.mark.parametrize(("name", "millions", "gmac"), ROWS)
def test_a_row_tells_parameters_and_cost(name: str, millions: str, gmac: str) -> None:
    with torch.device("meta"):
        system = build_system(resolve_run(name)).eval()
        assert count_parameters(system.to_ab) / 1e6 == pytest.approx(float(millions), rel=0.02)
        if name in ONE_PLANE:
            with FlopCounterMode(display=False) as counter:
                system.to_ab(torch.rand(1, 1, 256, 256))
            assert counter.get_total_flops() / 2e9 == pytest.approx(float(gmac), abs=0.06)


def test_the_table_is_found() -> None:
    assert {name for name, *_ in ROWS} >= ONE_PLANE
