"""Translate picture files, one or a thousand, and tell once what was unusual about them."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from nirtrans.errors import DataError
from nirtrans.inference.colorizer import Colorizer
from nirtrans.inference.job_list import Job
from nirtrans.inference.photo import keeps_lightness
from nirtrans.inference.photo_files import HintsOf, Photographer
from nirtrans.inference.photo_folder import colorize_photos
from nirtrans.inference.pictures import PictureOptions, Remarks, colorize_picture
from nirtrans.io.atomic import make_folder

log = logging.getLogger("nirtrans")


def colorize_pictures(
    colorizer: Colorizer,
    jobs: Sequence[Job],
    options: PictureOptions,
    *,
    hints_of: HintsOf | None = None,
    batch: int | None = None,
    skip_bad: bool = False,
    advance: Callable[[], None] = lambda: None,
) -> int:
    """Write the colours of picture files and return how many were left out as unreadable.

    Args:
        colorizer: Weights.
        jobs: Sources and targets.
        options: How files are read and written.
        hints_of: Finds the hints of a source, for systems that take some.
        batch: Most pictures that the network sees together; None to choose.
        skip_bad: Name unreadable sources in a warning and leave them out.
        advance: Called for each picture that is done or left out.

    Raises:
        DataError: If a source is unreadable and `skip_bad` is off.
        InputError: If a target cannot be written, or an option does not suit the weights.
        IOFailure: If writing breaks off.
    """
    for folder in sorted({job.target.parent for job in jobs}):
        make_folder(folder)
    remarks = Remarks()
    try:
        if not keeps_lightness(colorizer.system, colorizer.info):
            return _one_by_one(colorizer, jobs, options, remarks, skip_bad=skip_bad, advance=advance)
        workers = torch.get_num_threads() if len(jobs) == 1 else 1
        photographer = Photographer(colorizer, options, remarks, hints_of=hints_of, workers=workers)
        if len(jobs) == 1 and not skip_bad:
            photographer.colorize(jobs[0])
            advance()
            return 0
        return colorize_photos(photographer, jobs, batch=batch, skip_bad=skip_bad, advance=advance)
    finally:
        remarks.tell()


def _one_by_one(
    colorizer: Colorizer,
    jobs: Sequence[Job],
    options: PictureOptions,
    remarks: Remarks,
    *,
    skip_bad: bool,
    advance: Callable[[], None],
) -> int:
    bad = 0
    for job in jobs:
        try:
            colorize_picture(colorizer, Path(job.source), job.target, options, remarks)
        except DataError as error:
            if not skip_bad:
                raise
            log.warning("skipped: %s", error)
            bad += 1
        advance()
    return bad
