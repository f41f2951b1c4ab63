"""Where the pictures of a comparison belong: to a scene, and where it is known to a class."""

from collections.abc import Sequence
from dataclasses import dataclass

from nirtrans.data.picture import Picture

MOST_CLASSES = 20


@dataclass(frozen=True)
class Place:
    """Scene and, where known, class of one picture."""

    scene: str
    group: str | None = None


def find_places(pictures: Sequence[Picture]) -> dict[str, Place]:
    """Tell scene and class of each picture by its name.

    The class is that of the picture if its source gives any; else the name up to the first underscore, such as
    `country` of `country_0000`, if that gives 2 to 20 classes and fewer than there are pictures.
    """
    given = {picture.id: picture.group for picture in pictures}
    if not any(given.values()):
        given = _by_name([picture.id for picture in pictures])
    return {picture.id: Place(picture.scene, given[picture.id]) for picture in pictures}


def _by_name(names: Sequence[str]) -> dict[str, str | None]:
    stems = {name: name.rsplit("/", 1)[-1].partition("_")[0] for name in names}
    useful = 2 <= len(set(stems.values())) <= min(MOST_CLASSES, len(names) - 1)
    return {name: stem if useful else None for name, stem in stems.items()}
