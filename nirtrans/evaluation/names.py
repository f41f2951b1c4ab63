"""Short names for weights files, by which a comparison calls them."""

import os
from collections.abc import Sequence
from pathlib import Path

OF_RUNS = ("best", "last")
"""What every run calls its weights; the folder tells them apart."""


def name_weights(paths: Sequence[Path]) -> dict[str, Path]:
    """Name files by their stem, or by their run folder if that is best or last; by more folders where names clash.

    Args:
        paths: Weights files; one that is given twice counts once.

    Example:
        >>> list(name_weights([Path("runs/a/best.safetensors"), Path("x.safetensors")]))
        ['a', 'x']
    """
    unique = list({path.resolve(): path for path in paths}.values())
    folders = [_folder(path) for path in unique]
    labels = [_label(path, alone=folders.count(folder) == 1) for path, folder in zip(unique, folders, strict=True)]
    depths = [2 if label[0] in OF_RUNS else 1 for label in labels]
    while True:
        names = ["/".join(reversed(label[:depth])) for label, depth in zip(labels, depths, strict=True)]
        clashing = [index for index, name in enumerate(names) if names.count(name) > 1]
        growing = [index for index in clashing if depths[index] < len(labels[index])]
        if not growing:
            return dict(zip(names, unique, strict=True))
        for index in growing:
            depths[index] += 1


def _label(path: Path, *, alone: bool) -> list[str]:
    """Return stem, folder, folder of the folder and so on; without the stem of a run whose folder says it all."""
    folders = list(reversed(_folder(path).parts[1:]))
    return folders if path.stem in OF_RUNS and alone and folders else [path.stem, *folders]


def _folder(path: Path) -> Path:
    """Return the folder as it was called, links and all."""
    return Path(os.path.abspath(path)).parent
