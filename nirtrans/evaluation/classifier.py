"""What a classifier of the user's recognises in gray, colorized and true pictures.

Colours that please may still mislead; a network that was trained on photographs tells whether what it sees has become
more like them. Zhang, Isola, Efros: "Colorful Image Colorization", ECCV 2016, section 3.1.
"""

import hashlib
import importlib
import operator
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from nirtrans.data.split import read_table
from nirtrans.errors import DataError, InputError, RunError
from nirtrans.evaluation.baselines import Colours
from nirtrans.evaluation.judges import Judge
from nirtrans.evaluation.metrics import TOP
from nirtrans.evaluation.pairs import Pair
from nirtrans.registry import did_you_mean

UNKNOWN = 0.5
"""What a classifier sees where a picture has no data."""


@dataclass(frozen=True)
class Classifier:
    """A function of the user's that names what it sees.

    Attributes:
        name: package.module:function.
        function: [N, 3, H, W] in [0, 1] -> logits [N, K].
        classes: Names of the K classes; None if the function has no `classes`, and labels are numbers from 0.
        sha256: Of the file that the module came from; "" if it came from none.
    """

    name: str
    function: Callable[[Tensor], Tensor]
    classes: tuple[str, ...] | None
    sha256: str

    def describe(self) -> dict[str, Any]:
        """Return what the result keeps of it."""
        return {
            "name": self.name,
            "sha256": self.sha256,
            "classes": None if self.classes is None else len(self.classes),
        }

    def logits(self, colours: Colours, where: str) -> Tensor:
        """Classify one picture [3, H, W]: [K].

        Raises:
            InputError: If the function returns something else than logits.
            RunError: If it fails, or is undecided by NaN.
        """
        picture = torch.from_numpy(colours.astype("float32")).nan_to_num(UNKNOWN).clamp(0, 1)[None]
        try:
            with torch.inference_mode():
                found = self.function(picture)
        except Exception as error:
            raise RunError(f"--classifier {self.name} failed on {where}: {type(error).__name__}: {error}") from error
        known = 2 if self.classes is None else len(self.classes)
        if not isinstance(found, Tensor) or found.dim() != 2 or len(found) != 1 or found.shape[1] < known:
            got = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
            classes = "K" if self.classes is None else known
            raise InputError(f"--classifier {self.name} must return logits [1, {classes}] of a picture, got {got}")
        if found.isnan().any():
            raise RunError(f"--classifier {self.name} returned NaN for {where}")
        return found[0].float().cpu()

    def number_of(self, label: str, where: str) -> int:
        """Return the class that a label means.

        Raises:
            DataError: If there is none.
        """
        if self.classes is not None and label in self.classes:
            return self.classes.index(label)
        if label.isdecimal() and (self.classes is None or int(label) < len(self.classes)):
            return int(label)
        if self.classes is None:
            raise DataError(
                f"{where}: label {label!r} is no number from 0; --classifier {self.name} has no `classes` to name them"
            )
        raise DataError(f"{where}: the classifier has no class {label!r}{did_you_mean(label, list(self.classes))}")


def load_classifier(name: str) -> Classifier:
    """Import package.module:function, from the current folder as well.

    Raises:
        InputError: If there is no such function; says what is missing.
    """
    module_name, _, path = name.partition(":")
    if not module_name or not path:
        raise InputError(f"--classifier expects package.module:function, got {name!r}")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        module = importlib.import_module(module_name)
        function = operator.attrgetter(path)(module)
    except (Exception, SystemExit) as error:
        raise InputError(f"--classifier {name} cannot be imported: {type(error).__name__}: {error}") from None
    if not callable(function) or isinstance(function, type):
        raise InputError(f"--classifier {name} is a {type(function).__name__}; give a function or a built network")
    if isinstance(function, nn.Module):
        function.eval()
    classes = getattr(function, "classes", None)
    file = getattr(module, "__file__", None)
    digest = hashlib.sha256(Path(file).read_bytes()).hexdigest() if file else ""
    return Classifier(name, function, None if classes is None else tuple(map(str, classes)), digest)


def read_picture_labels(path: Path, ids: Sequence[str]) -> dict[str, str]:
    """Read the class of every picture from a CSV file with the columns id and label.

    Raises:
        DataError: If it is malformed, or a picture has no label or two.
    """
    labels: dict[str, str] = {}
    for row in read_table(path, ("id", "label")):
        if labels.setdefault(row["id"], row["label"]) != row["label"]:
            raise DataError(f"{path}: {row['id']} is labelled {labels[row['id']]} and {row['label']}; leave one out")
    missing = [id_ for id_ in ids if id_ not in labels]
    if missing:
        raise DataError(f"{path}: has no label for {missing[0]}, {len(missing)} of {len(ids)} pictures lack one")
    return {id_: labels[id_] for id_ in ids}


def class_labels(groups: Mapping[str, str | None]) -> dict[str, str]:
    """Take the classes that pictures belong to as labels.

    Raises:
        DataError: If one belongs to none.
    """
    known = {id_: group for id_, group in groups.items() if group}
    missing = [id_ for id_ in groups if id_ not in known]
    if missing:
        raise DataError(
            f"--classifier needs the class of every picture, {missing[0]} has none; give a column `class` in "
            "scenes.csv, or --labels CSV with the columns id and label"
        )
    return known


def recognition(classifier: Classifier, labels: Mapping[str, str], names: Sequence[str]) -> Judge:
    """Judge by whether the classifier names the class of a picture first, or among its first five.

    Args:
        classifier: What names classes; more than five, or the latter says nothing and is left out.
        labels: Class of each picture.
        names: The models and baselines to ask about.

    Raises:
        DataError: If a label is no class.
    """
    numbers = {id_: classifier.number_of(label, id_) for id_, label in labels.items()}

    def judge(name: str, colours: Colours, pair: Pair) -> dict[str, float]:
        if name not in names:
            return {}
        logits = classifier.logits(colours, pair.id)
        number = numbers[pair.id]
        if number >= len(logits):
            raise DataError(f"{pair.id}: label {number}, but --classifier {classifier.name} has {len(logits)} classes")
        rank = int((logits >= logits[number]).sum()) - 1  # who cannot decide has not recognised anything
        return {f"top{k}": float(rank < k) for k in TOP if k < len(logits)}

    return judge
