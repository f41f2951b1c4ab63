"""A classifier's weights that the user owns begin the encoder: `nirtrans train --encoder-weights`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from nirtrans.config_files import dump_run
from nirtrans.nn.encoders import ResNetEncoder, VGGEncoder
from tests.models.tiny import tiny_run

Command = Callable[..., Any]


@pytest.fixture
def train(nirtrans: Command, tmp_path: Path) -> Command:
    """Train a model for a step at a rate that moves nothing."""

    def start(model: str, *flags: object, **network: Any) -> Any:
        run = tiny_run(model, train={"steps": 1, "ema": 0.0, "optimizer": {"lr": 1e-12}}, **network)
        config = tmp_path / "run.yaml"
        config.write_text(dump_run(run))
        data = ("--set", "data.crop_px=32", "--set", "data.workers=0", "--set", "data.synthetic_scenes=2")
        place = ("--out", tmp_path / "run", "--overwrite", "--device", "cpu", "--progress", "none")
        return nirtrans("train", "--config", config, *data, *place, *flags)

    return start


def test_a_resnet_of_rgb_pictures_begins_the_unet(train: Command, tmp_path: Path) -> None:
    classifier = ResNetEncoder("resnet18", 3, width=4, norm="batch").state_dict() | {"fc.weight": torch.zeros(9, 32)}
    save_file(classifier, tmp_path / "resnet.safetensors")
    outcome = train("resnet-unet", "--encoder-weights", tmp_path / "resnet.safetensors", "--set", "data.crop_px=64",
                    width=4, norm="batch")  # fmt: skip
    assert outcome.code == 0, outcome.err
    learnt = load_file(tmp_path / "run" / "last.safetensors")
    summed = classifier["conv1.weight"].sum(1, keepdim=True)
    torch.testing.assert_close(learnt["to_ab.encoder.conv1.weight"], summed)
    name = "layer2.0.downsample.0.weight"
    torch.testing.assert_close(learnt[f"to_ab.encoder.{name}"], classifier[name])


def test_a_file_of_torch_will_do(train: Command, tmp_path: Path) -> None:
    classifier = VGGEncoder(3, width=4).state_dict()
    torch.save(classifier, tmp_path / "vgg.pth")
    outcome = train("chromagan", "--encoder-weights", tmp_path / "vgg.pth", classes=0)
    assert outcome.code == 0, outcome.err
    learnt = load_file(tmp_path / "run" / "last.safetensors")["to_ab.encoder.features.0.weight"]
    torch.testing.assert_close(learnt, classifier["features.0.weight"])


def test_what_does_not_fit_is_refused_in_one_line(train: Command, tmp_path: Path) -> None:
    path = tmp_path / "vgg.safetensors"
    save_file(VGGEncoder(3, width=2).state_dict(), path)
    outcome = train("chromagan", "--encoder-weights", path, classes=0)
    assert outcome.code == 2
    assert "vgg.safetensors: tensor features.0.weight: expected [4, 3, 3, 3], got [2, 3, 3, 3]; give" in outcome.err
    outcome = train("iizuka2016", "--encoder-weights", path, classes=0)
    assert outcome.code == 2
    assert "iizuka2016 as it is set has no encoder" in outcome.err
    assert "chromagan" in outcome.err
    outcome = train("chromagan", "--encoder-weights", tmp_path / "absent.pth", classes=0)
    assert outcome.code == 2
    assert "absent.pth: cannot be read (No such file" in outcome.err
    outcome = train("chromagan", "--resume", "--encoder-weights", path, classes=0)
    assert outcome.code == 2
    assert not (tmp_path / "run").exists()
