"""Folders of photographs: grouped, halved where memory ends, staged for a GPU, the same colours in any way."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from nirtrans.errors import DataError, OutOfMemory
from nirtrans.inference import photo_folder
from nirtrans.inference.job_list import Job
from nirtrans.inference.photo_files import OpenPhoto, Photographer
from nirtrans.inference.photo_folder import colorize_photos, in_groups
from nirtrans.inference.pictures import PictureOptions, Remarks
from nirtrans.io.images import read_image, write_image
from tests.inference.chroma_systems import Warm, photo_colorizer

SIZES = [(40, 60), (60, 40), (90, 90)]


def folder(root: Path, count: int) -> list[Job]:
    for number in range(count):
        pixels = np.random.default_rng(number).integers(0, 255, SIZES[number % 3], dtype=np.uint8)
        write_image(root / f"{number}.png", pixels)
    (root / "out").mkdir()
    return [Job(str(root / f"{number}.png"), root / "out" / f"{number}.png") for number in range(count)]


def photographer(system: Warm | None = None, **options: object) -> Photographer:
    return Photographer(photo_colorizer(system), PictureOptions(), Remarks(), **options)


def results(jobs: list[Job]) -> list[np.ndarray]:
    return [read_image(job.target).pixels.astype(int) for job in jobs]


def test_pictures_of_one_size_are_grouped(tmp_path: Path) -> None:
    maker = photographer()
    photos = [maker.open(job) for job in folder(tmp_path, 8)]
    groups = [[int(Path(photo.job.source).stem) for photo in group] for group in in_groups(photos, 2)]
    assert groups == [[0, 3], [1, 4], [2, 5], [6], [7]]
    assert [len(group) for group in in_groups(photos, 1)] == [1] * 8


def test_few_pixels_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    maker = photographer()
    photos = [maker.open(job) for job in folder(tmp_path, 6)]
    monkeypatch.setattr(photo_folder, "WAITING_PX", 2 * 40 * 60)
    groups = [[int(Path(photo.job.source).stem) for photo in group] for group in in_groups(photos, 9)]
    assert groups[0] == [0], "the oldest size goes first"
    assert sorted(number for group in groups for number in group) == list(range(6))


def test_pictures_with_hints_stay_alone(tmp_path: Path) -> None:
    maker = photographer(hints_of=lambda source, gray, orientation: lambda size: None)
    photos = [maker.open(job) for job in folder(tmp_path, 4)]
    assert [len(group) for group in in_groups(photos, 4)] == [1] * 4


@pytest.mark.parametrize("kind", ["cpu", "cuda"], ids=["threads", "staged"])
def test_both_ways_come_to_the_same(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = folder(tmp_path, 7)
    for job in jobs:
        photographer().colorize(job)
    alone = results(jobs)
    maker = photographer()
    monkeypatch.setattr(maker.colorizer, "device", torch.device(kind))  # the network stays where it is
    done: list[None] = []
    assert colorize_photos(maker, jobs, batch=3, advance=lambda: done.append(None)) == 0
    assert len(done) == 7
    assert all(np.abs(one - other).max() <= 1 for one, other in zip(alone, results(jobs), strict=True))


class Narrow(Warm):
    """A network whose memory holds one picture."""

    def predict(self, source: Tensor, guidance: object = None) -> Tensor:
        if len(source) > 1:
            raise torch.OutOfMemoryError("as said")
        return super().predict(source)


def test_groups_are_halved_where_memory_ends(tmp_path: Path) -> None:
    jobs = [job for job in folder(tmp_path, 9) if int(Path(job.source).stem) % 3 == 0]
    assert colorize_photos(photographer(Narrow()), jobs, batch=3) == 0
    assert all(job.target.exists() for job in jobs)
    narrow = photographer(Narrow())
    narrow.colorizer.system.predict = lambda source, guidance=None: (_ for _ in ()).throw(torch.OutOfMemoryError())
    with pytest.raises(OutOfMemory, match="use a smaller --size or --batch"):
        colorize_photos(narrow, jobs, batch=3)


def test_a_bad_file_stops_or_is_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    jobs = folder(tmp_path, 6)
    Path(jobs[4].source).write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"4\.png"):
        colorize_photos(photographer(), jobs)
    done: list[None] = []
    assert colorize_photos(photographer(), jobs, skip_bad=True, advance=lambda: done.append(None)) == 1
    assert len(done) == 6
    assert "4.png" in caplog.text
    assert not jobs[4].target.exists()


def test_an_open_picture_holds_no_decoded_colours(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (40, 60, 4), dtype=np.uint8)
    write_image(tmp_path / "in.png", pixels[..., :3], alpha=pixels[..., 3])
    photo: OpenPhoto = photographer().open(Job(str(tmp_path / "in.png"), tmp_path / "out.png"))
    assert photo.image.pixels.base is None
    assert photo.image.alpha.base is None
    assert photo.gray.shape == (1, 40, 60)
