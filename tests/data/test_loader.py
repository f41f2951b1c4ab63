"""A sample is decided by its number alone: resume, workers and processes change nothing."""

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from nirtrans.config import Run
from nirtrans.data.collection import Collection, open_collection
from nirtrans.data.loader import training_batches, with_pairing
from nirtrans.data.sample import Batch
from nirtrans.errors import ConfigError, DataError

MakeRun = Callable[..., Run]


def take(run: Run, count: int, **options: int) -> list[Batch]:
    collection = open_collection(run.data, run.domain)
    return list(itertools.islice(training_batches(collection, run, **options), count))


def assert_equal(first: Sequence[Batch], second: Sequence[Batch]) -> None:
    for a, b in zip(first, second, strict=True):
        assert a.ids == b.ids
        torch.testing.assert_close(a.source, b.source, rtol=0, atol=0)
        torch.testing.assert_close(a.target, b.target, rtol=0, atol=0)


def test_batches_have_the_promised_shape_and_range(pairs: Path, make_run: MakeRun) -> None:
    (batch,) = take(make_run(str(pairs)), 1)
    assert batch.source.shape == (4, 1, 32, 32)
    assert batch.target.shape == (4, 3, 32, 32)
    assert batch.source.dtype == batch.target.dtype == torch.float32
    assert 0 <= batch.source.min() < batch.source.max() <= 1
    assert batch.paired
    assert batch.valid is None


def test_resuming_meets_the_same_samples(pairs: Path, make_run: MakeRun) -> None:
    run = make_run(str(pairs))
    assert_equal(take(run, 5)[3:], take(run, 2, start_step=3))


def test_workers_change_nothing(pairs: Path, make_run: MakeRun) -> None:
    run = make_run(str(pairs), scale_jitter=0.2)
    assert_equal(take(run, 4, workers=0), take(run, 4, workers=2))


def test_processes_and_accumulation_share_the_global_batch(pairs: Path, make_run: MakeRun) -> None:
    whole = take(make_run(str(pairs)), 2)
    parts = [take(make_run(str(pairs), train={"accumulate": 2}), 4, rank=rank, world=2) for rank in (0, 1)]
    for step, batch in enumerate(whole):
        micro = [parts[rank][2 * step + part] for part in (0, 1) for rank in (0, 1)]
        assert batch.ids == tuple(itertools.chain.from_iterable(m.ids for m in micro))
        torch.testing.assert_close(batch.source, torch.cat([m.source for m in micro]), rtol=0, atol=0)


def test_every_picture_comes_once_per_epoch(pairs: Path, make_run: MakeRun) -> None:
    run = make_run(str(pairs), train={"batch": 7})
    first, second = take(run, 2)
    assert len(set(first.ids)) == 7, "seven of eight scenes train"
    assert set(first.ids) == set(second.ids)
    assert first.ids != second.ids


def test_seed_changes_the_order(pairs: Path, make_run: MakeRun) -> None:
    (first,), (second,) = (take(make_run(str(pairs), train={"batch": 7, "seed": seed}), 1) for seed in (0, 1))
    assert first.ids != second.ids


def test_validation_scenes_never_train(make_run: MakeRun) -> None:
    run = make_run()
    held_out = {picture.id for picture in open_collection(run.data, "nir").part("val").sources}
    assert held_out
    assert held_out.isdisjoint(itertools.chain.from_iterable(batch.ids for batch in take(run, 6)))


def test_pairs_share_crop_mirror_and_turn(make_run: MakeRun, gray_targets: Callable[[Collection], Collection]) -> None:
    run = make_run(scale_jitter=0.3)
    collection = gray_targets(open_collection(run.data, "nir"))
    for batch in itertools.islice(training_batches(collection, run), 4):
        torch.testing.assert_close(batch.target, batch.source.expand_as(batch.target))


@pytest.fixture
def gray_targets() -> Callable[[Collection], Collection]:
    """Replace every target by three copies of its source."""

    def change(collection: Collection) -> Collection:
        targets = tuple(replace(p, pixels=p.pixels.repeat(3, axis=0)) for p in collection.sources)
        return replace(collection, targets=targets)

    return change


def test_tone_jitter_changes_sources_only_and_repeatably(pairs: Path, make_run: MakeRun) -> None:
    plain, changed = (take(make_run(str(pairs), tone_jitter=amount), 2) for amount in (0.0, 0.4))
    for before, after in zip(plain, changed, strict=True):
        assert torch.equal(before.target, after.target)
        assert not torch.allclose(before.source, after.source, atol=0.01)
    assert_equal(changed, take(make_run(str(pairs), tone_jitter=0.4), 2, workers=1))


def test_small_pictures_are_enlarged_as_far_as_the_scale_may_vary(pairs: Path, make_run: MakeRun) -> None:
    with pytest.raises(DataError, match=r"smaller than the crops of 64 px"):
        take(make_run(str(pairs), crop_px=64), 1)
    (batch,) = take(make_run(str(pairs), crop_px=64, scale_jitter=0.5), 1)
    assert batch.source.shape == (4, 1, 64, 64)


def test_mixed_pairing_alternates(pairs: Path, make_run: MakeRun) -> None:
    batches = take(make_run(str(pairs), pairing="mixed"), 4)
    assert [batch.paired for batch in batches] == [True, False, True, False]
    partners = [name.split("|") for batch in batches[1::2] for name in batch.ids]
    assert any(source != target for source, target in partners)


def test_pairing_follows_the_data_unless_it_is_given(pairs: Path, make_run: MakeRun) -> None:
    run = make_run(str(pairs))
    collection = open_collection(run.data, run.domain)
    unaligned = replace(collection, aligned=False)
    assert run.data.pairing is None
    assert [with_pairing(run, one).data.pairing for one in (collection, unaligned)] == ["paired", "unpaired"]
    assert with_pairing(make_run(str(pairs), pairing="mixed"), collection).data.pairing == "mixed"
    assert all(batch.paired for batch in take(run, 2))


def test_unpaired_sources_and_targets_are_drawn_apart(pairs: Path, make_run: MakeRun) -> None:
    (batch,) = take(make_run(str(pairs), pairing="unpaired", train={"batch": 7}), 1)
    sources, targets = zip(*(name.split("|") for name in batch.ids), strict=True)
    assert set(sources) == set(targets)
    assert sources != targets


def test_nodata_is_masked_and_never_most_of_a_crop(rasters: Path, make_run: MakeRun) -> None:
    masks = [batch.valid for batch in take(make_run(str(rasters)), 8) if batch.valid is not None]
    assert masks
    assert all(mask.flatten(1).float().mean(1).min() >= 0.25 for mask in masks)


def test_crops_larger_than_pictures_are_refused_before_training(pairs: Path, make_run: MakeRun) -> None:
    with pytest.raises(DataError, match=r"48x48.*--set data.crop_px=48"):
        take(make_run(str(pairs), crop_px=64), 1)


def test_batches_beyond_the_memory_are_refused(pairs: Path, make_run: MakeRun) -> None:
    with pytest.raises(ConfigError, match="use a smaller train"):
        take(make_run(str(pairs), train={"batch": 10**9}), 1)


def test_indivisible_batches_are_refused(pairs: Path, make_run: MakeRun) -> None:
    with pytest.raises(ConfigError, match="multiple of 3"):
        take(make_run(str(pairs)), 1, world=3)


def test_a_file_that_breaks_later_is_named(pairs: Path, make_run: MakeRun) -> None:
    run = make_run(str(pairs), train={"batch": 7})
    collection = open_collection(run.data, "nir")
    for path in (pairs / "nir").iterdir():
        path.write_bytes(path.read_bytes()[:200])
    for workers in (0, 1):
        with pytest.raises(DataError, match=r"scene\d+\.png: damaged or truncated") as caught:
            next(training_batches(collection, run, workers=workers))
        assert "\n" not in str(caught.value)


def test_ctrl_c_leaves_the_workers_alone(pairs: Path) -> None:
    code = f"""
import itertools, signal, time
from nirtrans.config import Run
from nirtrans.data.collection import open_collection
from nirtrans.data.loader import training_batches
stopped = []
signal.signal(signal.SIGINT, lambda *_: stopped.append(1))
run = Run(model="any", domain="nir", data={{"sources": [{str(pairs)!r}], "crop_px": 32, "workers": 1}})
batches = training_batches(open_collection(run.data, "nir"), run)
next(batches)
print("ready", flush=True)
while not stopped:
    next(batches)
    time.sleep(0.01)
print(len(list(itertools.islice(batches, 50))), flush=True)
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    os.killpg(process.pid, signal.SIGINT)
    started = time.monotonic()
    assert process.communicate(timeout=30)[0] == "50\n"
    assert process.returncode == 0
    assert time.monotonic() - started < 20
