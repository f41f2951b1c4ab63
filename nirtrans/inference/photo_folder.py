"""Many picture files whose lightness stays: decoded ahead, seen by the network together, written behind.

Where the network runs on the CPU, each thread takes pictures of its own through it; a GPU sees several of one size
together. Files appear under their names when they are complete, whatever interrupts the rest.
"""

import logging
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from functools import partial
from itertools import chain

import torch

from nirtrans.errors import DataError
from nirtrans.inference.device import one_thread_each
from nirtrans.inference.job_list import Job
from nirtrans.inference.photo import SeenSize
from nirtrans.inference.photo_files import OpenPhoto, Photographer
from nirtrans.inference.stream import ahead

log = logging.getLogger("nirtrans")
GPU_BATCH = 16
WAITING_PX = 2**27
"""Pixels of decoded pictures that may wait until there are enough of one size."""


def colorize_photos(
    photographer: Photographer,
    jobs: Sequence[Job],
    *,
    batch: int | None = None,
    skip_bad: bool = False,
    advance: Callable[[], None] = lambda: None,
) -> int:
    """Colour picture files and return how many were left out as unreadable.

    Args:
        photographer: What colours them.
        jobs: Sources and targets, whose folders are there.
        batch: Most pictures that the network sees together; None to choose.
        skip_bad: Name unreadable sources in a warning and leave them out.
        advance: Called for each picture that is done or left out.

    Raises:
        DataError: If a source is unreadable and `skip_bad` is off.
        InputError: If a target cannot be written.
        IOFailure: If writing breaks off.
    """
    on_cpu = photographer.colorizer.device.type == "cpu"
    workers = torch.get_num_threads() if on_cpu else os.cpu_count() or 1
    bad = 0

    def good(opened: Iterable[OpenPhoto | DataError]) -> Iterator[OpenPhoto]:
        nonlocal bad
        for photo in opened:
            if isinstance(photo, OpenPhoto):
                yield photo
                continue
            if not skip_bad:
                raise photo
            log.warning("skipped: %s", photo)
            bad += 1
            advance()

    with one_thread_each() if on_cpu else nullcontext(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as reading does, whose threads would undo it for one another
        opened = ahead(partial(_open, photographer), jobs, count=2 * workers, workers=workers)
        groups = in_groups(good(opened), batch or (1 if on_cpu else GPU_BATCH))
        for _ in _coloured(photographer, groups, workers, on_cpu=on_cpu):
            advance()
    return bad


def _open(photographer: Photographer, job: Job) -> OpenPhoto | DataError:
    try:
        return photographer.open(job)
    except DataError as error:
        return error


Group = Sequence[OpenPhoto]


def _coloured(photographer: Photographer, groups: Iterable[Group], workers: int, *, on_cpu: bool) -> Iterator[Job]:
    """Yield the jobs that are done."""

    def predict(group: Group) -> list[tuple[OpenPhoto, torch.Tensor]]:
        return list(zip(group, photographer.predict(group), strict=True))

    def predict_and_write(group: Group) -> list[Job]:
        return [photographer.write(photo, ab) for photo, ab in predict(group)]

    if on_cpu:
        return chain.from_iterable(ahead(predict_and_write, groups, count=workers, workers=workers))
    predicted = chain.from_iterable(map(predict, groups))
    return ahead(lambda pair: photographer.write(*pair), predicted, count=2 * workers, workers=workers)


def in_groups(photos: Iterable[OpenPhoto], most: int) -> Iterator[list[OpenPhoto]]:
    """Group pictures that the network sees at one size, at most so many; those with hints stay alone."""
    waiting: dict[SeenSize, list[OpenPhoto]] = {}
    for photo in photos:
        if photo.hints is not None or most == 1:
            yield [photo]
            continue
        group = waiting.setdefault(photo.seen, [])
        group.append(photo)
        if len(group) == most:
            yield waiting.pop(photo.seen)
        elif sum(other.gray.size for group in waiting.values() for other in group) > WAITING_PX:
            yield waiting.pop(next(iter(waiting)))
    yield from waiting.values()
