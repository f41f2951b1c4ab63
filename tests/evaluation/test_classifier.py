"""A classifier of the user's: what it recognises in gray, colorized and true pictures, and who is at fault if not."""

import hashlib
import math
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from gray_stub import stub_colorizer

from nirtrans.config import Preprocessing
from nirtrans.data.collection import Collection, InMemory
from nirtrans.data.derive import luma
from nirtrans.errors import DataError, InputError, RunError
from nirtrans.evaluation.classifier import (
    Classifier,
    class_labels,
    load_classifier,
    read_picture_labels,
    recognition,
)
from nirtrans.evaluation.evaluate import Terms, evaluate
from nirtrans.evaluation.pairs import Pair
from nirtrans.inference.scene import ArrayScene

SOURCE = '''
import torch

def by_colour(pictures):
    """Logits are the means of red, green and blue, and of four colours that never occur."""
    means = pictures.mean(dim=(2, 3))
    return torch.cat([means, means.new_full((len(means), 4), -1.0)], 1)

by_colour.classes = ("red", "green", "blue", "pink", "teal", "gold", "plum")

def broken(pictures):
    raise ValueError("no such layer")

def flat(pictures):
    return torch.zeros(7)

def few(pictures):
    return torch.zeros(len(pictures), 3)

few.classes = ("red", "green", "blue", "pink")
number = 3

class Network(torch.nn.Module):
    def forward(self, pictures):
        return pictures.mean(dim=(2, 3)) if not self.training else None

built = Network()
'''


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    name = f"classifier_{hashlib.sha256(str(tmp_path).encode()).hexdigest()[:8]}"
    (tmp_path / f"{name}.py").write_text(SOURCE)
    (tmp_path / f"{name}_exits.py").write_text("raise SystemExit")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return name


def tinted(rgb: tuple[float, float, float]) -> np.ndarray:
    return np.tile(np.array(rgb, np.float32)[:, None, None], (1, 16, 20))


def collection(**pictures: str) -> Collection:
    colours = {"red": (0.8, 0.2, 0.2), "green": (0.2, 0.7, 0.2), "blue": (0.3, 0.3, 0.9)}
    targets = tuple(
        InMemory(name, name, tinted(colours[group]), "val", group=group) for name, group in pictures.items()
    )
    sources = tuple(InMemory(t.id, t.scene, luma(t.pixels), "val", group=t.group) for t in targets)
    return Collection(sources, targets, True, Preprocessing(bands=("gray",)), "test")


def test_gray_colorized_and_true_pictures_are_a_triplet(module: str) -> None:
    """The stub paints all red: right for two of three; the truth is right throughout, gray by chance of a tie."""
    classifier = load_classifier(f"{module}:by_colour")
    terms = Terms(classifier=classifier)
    pictures = collection(a="red", b="red", c="blue")
    evaluation, _ = evaluate({"stub": stub_colorizer((60.0, 40.0))}, pictures, source="x", terms=terms)
    top1 = {name: [found.get("top1") for found in scores.values()] for name, scores in evaluation.scores.items()}
    assert top1["stub"] == [1, 1, 0]
    assert top1["truth"] == [1, 1, 1]
    assert evaluation.summary["stub"]["top1"]["mean"] == pytest.approx(2 / 3)
    assert evaluation.summary["grey-copy"]["top1"]["n"] == 3
    assert top1["lut"] == [None] * 3, "nobody asked"
    assert evaluation.scores["stub"]["c"]["top5"] == 1
    known = evaluation.data["classifier"]
    digest = hashlib.sha256(Path(f"{module}.py").read_bytes()).hexdigest()
    assert known == {"name": f"{module}:by_colour", "sha256": digest, "classes": 7}


def test_the_truth_is_shown_in_every_domain(module: str) -> None:
    """Without a classifier near infrared has no such row."""
    colorizer = stub_colorizer()
    colorizer.info = colorizer.info.model_copy(update={"run": colorizer.info.run.model_copy(update={"domain": "nir"})})
    pictures = collection(a="red", b="blue")
    plain, _ = evaluate({"stub": colorizer}, pictures, source="x")
    assert "truth" not in plain.scores
    told, _ = evaluate(
        {"stub": colorizer}, pictures, source="x", terms=Terms(classifier=load_classifier(f"{module}:by_colour"))
    )
    assert {name for name, found in told.summary.items() if found["top1"]["n"]} == {"stub", "nir-copy", "truth"}


def judged(function: Callable[[torch.Tensor], torch.Tensor], label: str, classes: tuple[str, ...] | None) -> dict:
    truth = tinted((0.5, 0.4, 0.3))
    pair = Pair("p", ArrayScene(luma(truth)), truth, None)
    return recognition(Classifier("m:f", function, classes, ""), {"p": label}, ["truth"])("truth", truth, pair)


def test_ranks_by_hand() -> None:
    logits = torch.tensor([[0.5, 3.0, 2.0, 1.0, 0.9, 0.8, 0.0]])
    assert judged(lambda _: logits, "1", None) == {"top1": 1, "top5": 1}
    assert judged(lambda _: logits, "5", None) == {"top1": 0, "top5": 1}
    assert judged(lambda _: logits, "0", None) == {"top1": 0, "top5": 0}
    assert judged(lambda _: torch.zeros(1, 7), "0", None) == {"top1": 0, "top5": 0}, "a tie is no answer"
    assert judged(lambda _: logits.log(), "1", None) == {"top1": 1, "top5": 1}, "-inf is a logit"
    with pytest.raises(RunError, match="returned NaN for p"):
        judged(lambda _: (logits - 1).log(), "0", None)
    assert judged(lambda _: logits[:, :4], "0", None) == {"top1": 0}, "five of four say nothing"
    with pytest.raises(DataError, match="label 7, but --classifier m:f has 7 classes"):
        judged(lambda _: logits, "7", None)


def test_unknown_pixels_do_not_reach_a_classifier() -> None:
    seen = []

    def look(pictures: torch.Tensor) -> torch.Tensor:
        seen.append(pictures)
        return torch.zeros(1, 7)

    classifier = Classifier("m:f", look, None, "")
    colours = tinted((0.5, 1.5, -0.5))
    colours[:, 0] = math.nan
    classifier.logits(colours, "p")
    assert seen[0].shape == (1, 3, 16, 20)
    assert torch.equal(seen[0].unique(), torch.tensor([0.0, 0.5, 1.0]))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nothing", "expects package.module:function, got 'nothing'"),
        (":f", "expects package.module:function, got ':f'"),
        ("no_such_module_anywhere:f", "cannot be imported: ModuleNotFoundError"),
        ("{module}_exits:f", "cannot be imported: SystemExit"),
        ("{module}:absent", "cannot be imported: AttributeError"),
        ("{module}:number", "is a int; give a function"),
        ("{module}:Network", "is a type; give a function or a built network"),
    ],
)
def test_bad_names_are_refused(module: str, name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_classifier(name.format(module=module))


def test_a_network_is_used_as_it_was_trained(module: str) -> None:
    assert load_classifier(f"{module}:built").logits(tinted((0.1, 0.2, 0.3)), "p").tolist() == pytest.approx(
        [0.1, 0.2, 0.3]
    )


def test_functions_that_do_not_classify_are_told(module: str) -> None:
    with pytest.raises(RunError, match=r"broken failed on p: ValueError: no such layer"):
        load_classifier(f"{module}:broken").logits(tinted((0.1, 0.2, 0.3)), "p")
    with pytest.raises(InputError, match=r"must return logits \[1, K\] of a picture, got \(7,\)"):
        load_classifier(f"{module}:flat").logits(tinted((0.1, 0.2, 0.3)), "p")
    with pytest.raises(InputError, match=r"must return logits \[1, 4\] of a picture, got \(1, 3\)"):
        load_classifier(f"{module}:few").logits(tinted((0.1, 0.2, 0.3)), "p")


def test_labels_are_names_or_numbers(module: str, tmp_path: Path) -> None:
    classifier = load_classifier(f"{module}:by_colour")
    assert [classifier.number_of(label, "p") for label in ("blue", "2")] == [2, 2]
    with pytest.raises(DataError, match="p: the classifier has no class 'blu'; did you mean blue"):
        classifier.number_of("blu", "p")
    with pytest.raises(DataError, match="has no class '7'"):
        classifier.number_of("7", "p")
    with pytest.raises(DataError, match="label 'blue' is no number from 0"):
        load_classifier(f"{module}:built").number_of("blue", "p")
    table = tmp_path / "labels.csv"
    table.write_text("id,label\na,red\nb,green\nb,green\nc,blue\n")
    assert read_picture_labels(table, ["c", "a"]) == {"c": "blue", "a": "red"}
    with pytest.raises(DataError, match="has no label for d, 1 of 2 pictures lack one"):
        read_picture_labels(table, ["a", "d"])
    table.write_text("id,label\na,red\na,green\n")
    with pytest.raises(DataError, match="a is labelled red and green"):
        read_picture_labels(table, ["a"])
    assert class_labels({"a": "red"}) == {"a": "red"}
    with pytest.raises(DataError, match=r"b has none; give a column `class` in scenes.csv, or --labels"):
        class_labels({"a": "red", "b": None})
