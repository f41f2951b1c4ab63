"""Tiny systems, a regressor and two GANs, and batches that depend on their number alone."""

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nirtrans.color.ranges import to_signed, to_unit
from nirtrans.config import Run, Settings
from nirtrans.data.sample import Batch
from nirtrans.losses.adversarial import critic_loss, feature_matching, generator_loss, gradient_penalty
from nirtrans.models.system import System
from nirtrans.nn.discriminators import Critic, make_critic
from nirtrans.nn.pool import ImagePool

SIDE_PX = 8


def network(in_channels: int, out_channels: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(in_channels, 6, 3, padding=1), nn.Tanh(), nn.Conv2d(6, out_channels, 3, padding=1))


class Regressor(System):
    """One network, one phase, nothing random in the step."""

    phases = {"generator": ("generator",)}
    inference = ("generator",)
    domains = frozenset({"nir"})
    paper = "none"

    def __init__(self, params: Settings, *, in_channels: int) -> None:
        super().__init__(params, in_channels=in_channels)
        self.generator = network(in_channels, 3)

    def colorize(self, source: Tensor) -> Tensor:
        return to_unit(self.generator(to_signed(source)))

    def forward_train(self, batch: Batch) -> dict[str, Any]:
        return {"fake": self.colorize(batch.source)}

    def losses(self, phase: str, batch: Batch, out: dict[str, Any]) -> dict[str, Tensor]:
        return {"l2": F.mse_loss(out["fake"], batch.target)}


class Gan(System):
    """A generator with dropout, a critic with batch norm and an image pool, and a second critic phase that is rarer."""

    phases = {"generator": ("generator",), "critic": ("critic",), "shrink": ("critic",)}
    inference = ("generator",)
    domains = frozenset({"nir"})
    paper = "none"

    def __init__(self, params: Settings, *, in_channels: int) -> None:
        super().__init__(params, in_channels=in_channels)
        self.generator = nn.Sequential(network(in_channels, 3), nn.Dropout2d(0.1))
        self.critic = nn.Sequential(
            nn.Conv2d(3, 6, 3, stride=2, bias=False), nn.BatchNorm2d(6), nn.ReLU(), nn.Conv2d(6, 1, 3)
        )
        self.pool = ImagePool(5)

    def colorize(self, source: Tensor) -> Tensor:
        return to_unit(self.generator(to_signed(source)))

    def forward_train(self, batch: Batch) -> dict[str, Any]:
        return {"fake": self.colorize(batch.source)}

    def losses(self, phase: str, batch: Batch, out: dict[str, Any]) -> dict[str, Tensor]:
        if phase == "generator":
            terms = {"gan": (self.critic(out["fake"]) - 1).square().mean()}
            return terms | ({"l1": F.l1_loss(out["fake"], batch.target)} if batch.paired else {})
        if phase == "critic":
            fake = self.pool(out["fake"].detach())
            return {"real": (self.critic(batch.target) - 1).square().mean(), "fake": self.critic(fake).square().mean()}
        return {"logits": 0.01 * self.critic(batch.target).square().mean()}


class Judged(System):
    """A critic with spectral norm whose slope is penalised at the real pictures, where no chance is left."""

    phases = {"generator": ("generator",), "critic": ("critic",)}
    inference = ("generator",)
    domains = frozenset({"nir"})
    paper = "none"

    def __init__(self, params: Settings, *, in_channels: int) -> None:
        super().__init__(params, in_channels=in_channels)
        self.generator = network(in_channels, 3)
        self.critic = make_critic(Critic(width=4, layers=1, spectral=True), 3)

    def colorize(self, source: Tensor) -> Tensor:
        return to_unit(self.generator(to_signed(source)))

    def forward_train(self, batch: Batch) -> dict[str, Any]:
        return {"fake": self.colorize(batch.source)}

    def losses(self, phase: str, batch: Batch, out: dict[str, Any]) -> dict[str, Tensor]:
        if phase == "generator":
            logits, found = self.critic(out["fake"], features=True)
            matched = feature_matching(self.critic(batch.target, features=True)[1], found)
            return {"gan": generator_loss(logits), "features": matched, "l2": F.mse_loss(out["fake"], batch.target)}
        judged = critic_loss(self.critic(batch.target), self.critic(out["fake"].detach()), kind="wgan-gp")
        return {"critic": judged, "penalty": gradient_penalty(self.critic, batch.target, batch.target)}


SYSTEMS = {"regressor": Regressor, "gan": Gan, "judged": Judged}


def make_system(name: str, seed: int = 0) -> System:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return SYSTEMS[name](Settings(), in_channels=1)


def make_run(**train: Any) -> Run:
    """Return a run whose milestones fall on odd steps, so that they do not hide behind each other."""
    settings = {"steps": 12, "batch": 4, "validate_every": 5, "state_every": 4, "sample_every": 6, "log_every": 3}
    settings |= {"optimizer": {"lr": 5e-3}, "phases": {}}
    return Run(model="test", domain="nir", train=settings | train)


def make_sample(number: int) -> tuple[Tensor, Tensor]:
    """Return a source [1, H, W] and its target [3, H, W]; the number decides both."""
    generator = torch.Generator().manual_seed(number)
    source = torch.rand(1, SIDE_PX, SIDE_PX, generator=generator)
    return source, torch.cat([source, 1 - source, source.square()])


def batches(run: Run, start: int, *, rank: int = 0, world: int = 1) -> Iterator[Batch]:
    """Yield micro-batches as the loader numbers them; odd steps are unpaired."""
    size = run.train.batch // (run.train.accumulate * world)
    step = start
    while True:
        for part in range(run.train.accumulate):
            first = step * run.train.batch + (part * world + rank) * size
            pairs = [make_sample(number) for number in range(first, first + size)]
            source, target = (torch.stack(side) for side in zip(*pairs, strict=True))
            yield Batch(source, target, paired=step % 2 == 0)
        step += 1
