"""One training step: the only place of backward and of an optimizer's step, for every system."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from accelerate import Accelerator
from torch import nn

from nirtrans.config import Run
from nirtrans.data.sample import Batch
from nirtrans.engine.collapse import CollapseWatch
from nirtrans.engine.distributed import place
from nirtrans.engine.ema import MovingAverage
from nirtrans.engine.guard import FiniteGuard
from nirtrans.engine.logs import RunningMeans
from nirtrans.engine.optimizers import Optimizers
from nirtrans.engine.waiting import Waiting
from nirtrans.models.system import System


class Stepper:
    """Step a system and what moves with it: optimizers, averaged weights, and the watch over losses and waiting.

    Args:
        run: All settings.
        system: Freshly built; its networks are moved to the accelerator's device and wrapped.
        accelerator: As `launch` returned it.
    """

    def __init__(self, run: Run, system: System, accelerator: Accelerator) -> None:
        self.settings, self.system, self.accelerator = run.train, system, accelerator
        self.networks = place(system, accelerator, run.train)
        self.wrapped = [getattr(system, name) for name in self.networks]
        self.optimizers = Optimizers(system, self.networks, run.train, accelerator)
        self.average = MovingAverage({name: self.networks[name] for name in system.inference}, run.train.ema)
        self.means = RunningMeans()
        self.guard = FiniteGuard(accelerator, min(run.train.max_nonfinite, run.train.steps))
        self.waiting, self.collapse = Waiting(run.data.workers), CollapseWatch()

    def run(self, batches: Iterator[Batch], done: int, *, saved: int) -> None:
        """Run the micro-batches of one step; a loss or gradient that is not finite ends it without further updates.

        Args:
            batches: The micro-batches of this rank.
            done: Steps before this one.
            saved: Steps in the newest state, for the error.

        Raises:
            NonFiniteLoss: If `train.max_nonfinite` steps in a row were not finite.
        """
        with self.waiting.step():
            self.system.train()
            self.guard.begin()
            kept = [(buffer, buffer.clone()) for network in self.networks.values() for buffer in network.buffers()]
            for _ in range(self.settings.accumulate):
                # A loader that starts its workers draws from the global generator.
                with self.waiting.data(), torch.random.fork_rng(devices=[]):
                    batch = next(batches)
                self._micro_step(batch.to(self.accelerator.device), done)
            if self.guard.broken is None:
                self.average.update(done)
            else:
                for buffer, before in kept:  # running statistics of batch norm saw the bad values
                    buffer.copy_(before)
            self.guard.end(done + 1, saved)

    def release(self) -> None:
        """Put the bare networks back into the system; wrappers that outlive their process group can crash the exit."""
        self.wrapped.clear()
        for name, network in self.networks.items():
            setattr(self.system, name, network)

    def _micro_step(self, batch: Batch, done: int) -> None:
        accelerator, system = self.accelerator, self.system
        with accelerator.accumulate(*self.wrapped):
            if self.guard.broken is None:
                with accelerator.autocast():
                    out = system.forward_train(batch)
                for phase in system.phases:
                    if self.guard.broken is None and self.optimizers.due(phase, done):
                        self._run_phase(phase, batch, out, done)
            if self.guard.broken is not None:
                for optimizer in self.optimizers.all():
                    optimizer.zero_grad()

    def _run_phase(self, phase: str, batch: Batch, out: dict[str, Any], done: int) -> None:
        """Add the gradients of one phase; after the last micro-batch, update its networks."""
        with only_trainable(self.networks, self.system.phases[phase]):
            with self.accelerator.autocast():
                terms = self.system.losses(phase, batch, out)
            losses = self.guard.averaged(phase, terms)
            if self.guard.broken is None:
                self.means.add(losses)
                self.collapse.see_losses(losses)
                self.accelerator.backward(torch.stack([term.float() for term in terms.values()]).sum())
        if self.guard.broken is None and self.accelerator.sync_gradients:
            self._update(phase, done)

    def _update(self, phase: str, done: int) -> None:
        optimizer = self.optimizers.of(phase)
        self.optimizers.set_rate(phase, done)
        self.accelerator.unscale_gradients(optimizer)  # this optimizer only; Accelerate's clipping unscales all of them
        finite = self.optimizers.clip(phase)
        if not finite and self.settings.precision != "fp16":  # in fp16 the loss scale shrinks and the update is skipped
            self.guard.broken = f"{phase}/gradient"
            return
        optimizer.step()
        optimizer.zero_grad()


@contextmanager
def only_trainable(networks: Mapping[str, nn.Module], names: Iterable[str]) -> Iterator[None]:
    """Freeze all networks but those named for a `with` block; gradients still pass through frozen ones."""
    others = [network for name, network in networks.items() if name not in names]
    frozen = [value for network in others for value in network.parameters() if value.requires_grad]
    for value in frozen:
        value.requires_grad_(False)
    try:
        yield
    finally:
        for value in frozen:
            value.requires_grad_(True)
