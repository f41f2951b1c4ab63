"""The training loop: steps, milestones, states, and every way a run can end."""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor

from nirtrans.config import Run
from nirtrans.data.sample import Batch
from nirtrans.engine.checkpoint import State, StateInfo, newest_state, read_state, write_state
from nirtrans.engine.distributed import largest_over_ranks
from nirtrans.engine.interrupts import Interrupts, raise_interrupt
from nirtrans.engine.logs import Log, RunLog, RunningMeans
from nirtrans.engine.optimizers import check_phases
from nirtrans.engine.snapshot import Snapshot
from nirtrans.engine.step import Stepper
from nirtrans.errors import InputError, OutOfMemory
from nirtrans.models.system import System
from nirtrans.progress import SILENT, Progress, Task

Batches = Callable[[int], Iterator[Batch]]
"""From the first step, counted from 0, to an endless iterator over this rank's micro-batches, `accumulate` per step."""

BEST, LAST = "best.safetensors", "last.safetensors"
FALLING = {"ae"}  # validation metrics of which less is better


@dataclass(frozen=True)
class Hooks:
    """What happens at milestones; called on the main process, with the averaged networks in evaluation mode.

    Attributes:
        save_weights: Writes the tensors of the inference networks to a path, with the steps behind them.
        validate: Returns metrics by name; None if there is nothing to validate on.
        sample: Writes pictures for a step.
    """

    save_weights: Callable[[Path, Mapping[str, Tensor], int], None]
    validate: Callable[[System], Mapping[str, float]] | None = None
    sample: Callable[[System, int], None] | None = None


class Trainer:
    """Train a system; whatever ends it, a state is left that `restore` and `fit` continue exactly.

    Args:
        run: All settings.
        system: Freshly built; its networks are moved to the accelerator's device and wrapped.
        batches: Makes the micro-batches from a given step on.
        out: Folder of the run; it exists and is writable.
        hooks: What happens at milestones.
        accelerator: As `launch` returned it.
        progress: Where to show it.

    Raises:
        ConfigError: If the settings name an unknown phase or cannot be combined.
    """

    def __init__(
        self,
        run: Run,
        system: System,
        batches: Batches,
        *,
        out: Path,
        hooks: Hooks,
        accelerator: Accelerator,
        progress: Progress = SILENT,
    ) -> None:
        self.settings, self.system, self.batches = run.train, system, batches
        self.out, self.hooks, self.accelerator = out, hooks, accelerator
        self.progress = progress if accelerator.is_main_process else SILENT
        check_phases(system, run.train)
        self.stepper = Stepper(run, system, accelerator)
        self.average = self.stepper.average
        self.snapshot = Snapshot(
            system, self.stepper.networks, self.stepper.optimizers, self.average, accelerator.device
        )
        self.done = 0  # steps finished
        self.saved = -1  # steps finished when the newest state was written
        self.elapsed_s = 0.0  # seconds of training before this start
        self.best: float | None = None

    def restore(self) -> None:
        """Go to the newest state of the run; `fit` then continues as if it had never ended.

        Raises:
            InputError: If there is no state, or it is past `train.steps`.
            CheckpointError: If the state is damaged, of another model or of another number of processes.
        """
        path = newest_state(self.out)
        if path is None:
            raise InputError(f"{self.out} holds no training state to resume; leave --resume out to start a new run")
        info, shared, own = read_state(path, self.accelerator)
        if info.step > self.settings.steps:
            raise InputError(f"{path} is past train.steps {self.settings.steps}; give --steps {info.step} or more")
        self.snapshot.restore(shared, own, str(path))
        self.done = self.saved = info.step
        self.best, self.elapsed_s = info.best, info.elapsed_s
        self.stepper.means = RunningMeans(info.sums)
        if self.accelerator.scaler is not None and info.scaler:
            kept = {"scale": info.scaler["scale"], "_growth_tracker": int(info.scaler["_growth_tracker"])}
            self.accelerator.scaler.load_state_dict(self.accelerator.scaler.state_dict() | kept)

    def fit(self) -> None:
        """Train to the last step, from the start or from where `restore` went.

        Raises:
            InputError: If the folder is not writable.
            NonFiniteLoss: If `train.max_nonfinite` steps in a row had a loss or gradient that was not finite.
            OutOfMemory: If a step does not fit into memory.
            IOFailure: If the disk is full; the state before is kept.
            KeyboardInterrupt: After SIGINT or (Terminated) SIGTERM, between two steps, when the state has been written.
        """
        steps = self.settings.steps
        with Interrupts() as interrupts, closing(self._open_log()) as log:
            if self.saved < 0:
                torch.manual_seed(self.settings.seed + self.accelerator.process_index)
                self._save_state(log)  # from now on every end can be resumed; a full disk shows at once
            with self.progress.task("train", steps, done=self.done, unit="step") as task, self._memory_errors():
                batches = self.batches(self.done)
                while self.done < steps:
                    self.train_step(batches)
                    self._milestones(log, task)
                    self._stop_if_asked(interrupts, log)

    def close(self) -> None:
        """Put the bare networks back into the system."""
        self.stepper.release()

    def train_step(self, batches: Iterator[Batch]) -> None:
        """Run one step of micro-batches; without milestones."""
        self.stepper.run(batches, self.done, saved=self.saved)
        self.done += 1

    # --- milestones -------------------------------------------------------------------------------------------------

    def _milestones(self, log: Log, task: Task) -> None:
        """Show, log, validate, sample and save what is due; the last step is always due."""
        settings = self.settings
        task.advance(1, **self.stepper.means.present())
        values = self.stepper.means.take() | self.stepper.waiting.take() if self._due(settings.log_every) else {}
        if self._due(settings.validate_every):
            values |= self._validate()
        if self._due(settings.sample_every) and self.hooks.sample is not None and self.accelerator.is_main_process:
            with self.average.applied(self.system) as system:
                self.hooks.sample(system, self.done)
        if self.accelerator.is_main_process:
            self.stepper.waiting.judge(self.done)
            self.stepper.collapse.judge(self.done)
            if values:
                log.write(self.done, values)
        if self._due(settings.state_every):
            self._save(log)

    def _open_log(self) -> Log:
        if self.accelerator.is_main_process:
            return RunLog(self.out, step=self.done, elapsed_s=self.elapsed_s)
        return Log(elapsed_s=self.elapsed_s)

    def _due(self, every: int) -> bool:
        return self.done % every == 0 or self.done == self.settings.steps

    def _validate(self) -> dict[str, float]:
        """Return the metrics on the main process; the others wait. The best weights so far are kept."""
        found: Mapping[str, float] = {}
        if self.hooks.validate is not None and self.accelerator.is_main_process:
            with self.average.applied(self.system) as system:
                found = self.hooks.validate(system)
            self.stepper.collapse.see_spread(self.done, found.get("spread", math.nan))
            score = found.get(self.settings.best, math.nan)
            if self._improves(score):
                self.best = score
                self.hooks.save_weights(self.out / BEST, self.average.tensors(), self.done)
        self.accelerator.wait_for_everyone()
        return {f"val/{name}": value for name, value in found.items()}

    def _improves(self, score: float) -> bool:
        if math.isnan(score) or self.best is None:
            return not math.isnan(score)
        return score < self.best if self.settings.best in FALLING else score > self.best

    # --- state ------------------------------------------------------------------------------------------------------

    def _save(self, log: Log) -> None:
        """Write the newest weights and the state; without a validation they are the best ones too."""
        if self.accelerator.is_main_process:
            self.hooks.save_weights(self.out / LAST, self.average.tensors(), self.done)
            if self.best is None:
                self.hooks.save_weights(self.out / BEST, self.average.tensors(), self.done)
        self._save_state(log)

    def _save_state(self, log: Log) -> None:
        log.flush()  # what is logged must not be behind the state
        scaler = self.accelerator.scaler
        info = StateInfo(
            step=self.done,
            processes=self.accelerator.num_processes,
            elapsed_s=log.elapsed_s(),
            best=self.best,
            sums=self.stepper.means.sums,
            scaler={} if scaler is None else scaler.state_dict(),
        )
        state = State(info, shared=self.snapshot.shared(), own=self.snapshot.own())
        write_state(self.out, state, self.accelerator)
        self.saved = self.done

    def _stop_if_asked(self, interrupts: Interrupts, log: Log) -> None:
        """After a signal on any rank, save and end all of them at this step."""
        number = largest_over_ranks(interrupts.received, self.accelerator)
        if not number or self.done == self.settings.steps:
            return
        if self.saved != self.done:
            self._save(log)
        raise_interrupt(number, f"stopped after step {self.done}; nirtrans train --out {self.out} --resume continues")

    @contextmanager
    def _memory_errors(self) -> Iterator[None]:
        try:
            yield
        except (MemoryError, RuntimeError) as error:
            if not _is_memory_error(error):
                raise
            remedy = "make data.crop_px or train.batch smaller, or train.accumulate larger"
            raise OutOfMemory(
                f"{self.accelerator.device} ran out of memory at step {self.done + 1}; {remedy}"
            ) from error


def _is_memory_error(error: BaseException) -> bool:
    """Tell a lack of memory from other errors; on the CPU torch raises a plain RuntimeError."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return not isinstance(error, OutOfMemory)  # ours already
    return "not enough memory" in str(error) or "can't allocate memory" in str(error)
