"""The contract between a method and the rest: a System is the networks and losses of one method."""

from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from torch import Tensor, nn

from nirtrans.config import Pairing, Settings
from nirtrans.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Mapping


class TrainingBatch(Protocol):
    """What a System may read of a batch; see `nirtrans.data.sample.Batch`."""

    @property
    def source(self) -> Tensor:
        """[N, C, H, W], [0, 1]."""

    @property
    def target(self) -> Tensor:
        """[N, 3, H, W], [0, 1]."""

    @property
    def valid(self) -> Tensor | None:
        """[N, 1, H, W], bool, False at nodata; None where every pixel is valid."""

    @property
    def paired(self) -> bool:
        """Whether sources and targets are aligned."""

    @property
    def extra(self) -> dict[str, Any]:
        """What single models ask for."""


class System(nn.Module):
    """The networks and losses of one method. Knows nothing of files, devices or optimizers.

    A System calls its networks only as `self.generator(x)` and never reads their attributes: in distributed training
    the attribute is a wrapper. It never calls backward or step; the trainer does.

    Attributes:
        phases: Phase -> the networks that it updates, in running order; one built without a network drops its phases.
        stages: Groups of phases that take turns, as a method that trains in stages has them; empty: all phases run in
            every step. `train.stages` says how long each group is trained.
        inference: The networks that `colorize` uses: what the moving average follows and the weights file holds.
        domains: Accepted kinds of source.
        classes: Classes of pictures that a head of the system learns from `batch.extra["label"]`, [N], int64, -1 where
            nobody knows; 0: none, and labels have nothing to do with it.
        encoder: Where in the system the encoder lies that published weights of a classifier fit; None: nowhere.
        pairings: Kinds of batch that the losses can learn from, as `data.pairing` names them; all three unless said.
        Params: Settings of the method, validated from the `network` block of a config.
    """

    phases: "Mapping[str, tuple[str, ...]]"
    stages: tuple[tuple[str, ...], ...] = ()
    inference: ClassVar[tuple[str, ...]]
    domains: ClassVar[frozenset[str]]
    classes: int = 0
    encoder: str | None = None
    pairings: frozenset[Pairing] = frozenset({"paired", "unpaired", "mixed"})
    paper: ClassVar[str]

    class Params(Settings):
        """No settings."""

    def __init__(self, params: Settings, *, in_channels: int) -> None:
        super().__init__()
        self.params = params
        self.in_channels = in_channels

    def colorize(self, source: Tensor) -> Tensor:
        """Translate [N, C, H, W] in [0, 1] to sRGB [N, 3, H, W] in [0, 1]."""
        raise NotImplementedError(f"{type(self).__name__} defines no colorize")

    def forward_train(self, batch: TrainingBatch) -> dict[str, Any]:
        """Run the networks once per step; what it returns is private to the System and may hold [-1, 1] tensors."""
        raise NotImplementedError(f"{type(self).__name__} defines no forward_train")

    def losses(self, phase: str, batch: TrainingBatch, out: dict[str, Any]) -> dict[str, Tensor]:
        """Return the weighted scalar losses of one phase by name."""
        raise NotImplementedError(f"{type(self).__name__} defines no losses")

    def network_names(self) -> tuple[str, ...]:
        """Return every network named in a phase, in order, once."""
        return tuple(dict.fromkeys(name for names in self.phases.values() for name in names))


MODELS: Registry[System] = Registry("model")
