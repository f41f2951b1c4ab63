"""Open many files by a few threads; unreadable ones are named, counted and, if wished, left out."""

import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from nirtrans.errors import DataError

log = logging.getLogger("nirtrans")
SHOWN = 3
"""Names listed in a message before it says how many more there are."""
OPENING_THREADS = 4
T = TypeVar("T")
U = TypeVar("U")


def open_readable(items: Iterable[T], open_one: Callable[[T], U], *, folder: Path, skip_bad: bool) -> list[U]:
    """Open all items by a few threads; with `skip_bad` those that raise DataError are named, counted and left out.

    Raises:
        DataError: The first one met, unless `skip_bad`; or if nothing is left.
    """

    def attempt(item: T) -> U | DataError:
        try:
            return open_one(item)
        except DataError as error:
            return error

    with ThreadPoolExecutor(OPENING_THREADS) as pool:
        opened = list(pool.map(attempt, items))
    bad = [error for error in opened if isinstance(error, DataError)]
    good = [picture for picture in opened if not isinstance(picture, DataError)]
    if bad and not skip_bad:
        raise bad[0]
    for error in bad[:SHOWN]:
        log.warning("left out: %s", error)
    if bad:
        log.warning("%s: %d of %d left out as unreadable", folder, len(bad), len(opened))
    if not good:
        raise DataError(f"{folder}: nothing readable in it")
    return good
