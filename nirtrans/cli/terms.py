"""What `nirtrans evaluate` is asked for beside metrics of pairs: a protocol, a classifier."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nirtrans.data.collection import Collection
    from nirtrans.evaluation.evaluate import Terms
    from nirtrans.evaluation.ntire import ProtocolName
    from nirtrans.inference.colorizer import Colorizer


def add_protocol(
    terms: "Terms",
    name: "ProtocolName | None",
    colorizers: "dict[str, Colorizer]",
    collection: "Collection",
    save_seeds: Path | None,
) -> "tuple[Terms, Collection]":
    """Add what the protocol gives weights, and make its sources.

    Raises:
        DataError: If there are no colour pictures to make them from.
        InputError: If the weights do not take gray, or hints are to be saved that there are not.
    """
    from nirtrans.errors import InputError
    from nirtrans.evaluation.hinting import check_hints
    from nirtrans.evaluation.ntire import VARIANTS, Track2, as_ntire

    if save_seeds is not None and name != "ntire2019-track2":
        raise InputError("--save-seeds writes the pixels of --protocol ntire2019-track2; give that as well")
    if name is None:
        return terms, collection
    made = as_ntire(collection, next(iter(colorizers.values())).info.run.domain)
    hints = Track2(terms.seed, save_seeds) if name == "ntire2019-track2" else None
    without = check_hints(colorizers, given=True) if hints else []
    if without:
        logging.getLogger("nirtrans").warning(
            "%s: judged without the hints, which they do not take", ", ".join(without)
        )
    said = {"protocol": {"name": name, "seed": terms.seed, "judged_without_hints": without}}
    return replace(terms, metrics=(*terms.metrics, *VARIANTS), hints_for=hints, said=said), made


def add_classifier(terms: "Terms", name: str | None, labels: Path | None, part: "Collection") -> "Terms":
    """Add the classifier and the labels of the pictures that are judged.

    Raises:
        DataError: If a picture has no label, or one that is no class.
        InputError: If there is no such function, or labels are given for none.
    """
    from nirtrans.errors import InputError
    from nirtrans.evaluation.classifier import class_labels, load_classifier, read_picture_labels
    from nirtrans.evaluation.groups import find_places

    if name is None:
        if labels is not None:
            raise InputError(f"--labels {labels} are for a classifier; give --classifier package.module:function")
        return terms
    loaded = load_classifier(name)
    places = find_places(part.sources)
    groups = {id_: place.group for id_, place in places.items()}
    known = class_labels(groups) if labels is None else read_picture_labels(labels, list(places))
    for id_, label in known.items():
        loaded.number_of(label, id_)
    return replace(terms, classifier=loaded, labels=known)
