"""Normalisation layers whose statistics can be frozen, so that tiles of a scene share one set.

Instance and group norm take their statistics from the picture before them. On a tile these differ from those of the
whole scene and leave a seam that no overlap removes. `freeze_statistics` runs a network once over sampled tiles, pools
the statistics over all of them layer by layer, and keeps them: after that every layer is a fixed affine map, and a tile
with the network's halo equals the whole picture.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

NormKind = Literal["instance", "batch", "group", "none"]
GROUPS = 32  # Wu and He 2018, section 4: the default of group norm


class SpatialNorm(nn.Module):
    """Instance or group norm with statistics of the picture itself, or frozen ones.

    Instance norm cancels a bias in front of it. The convolution therefore has none and the layer adds it behind the
    normalisation: as many parameters, all of them useful, and no gradient that is only rounding noise.

    Args:
        channels: Channels of the input.
        groups: Channels / groups share statistics; groups = channels is instance norm.
        scale: Whether to learn a factor per channel.
        eps: Added to the variance.
    """

    def __init__(self, channels: int, *, groups: int, scale: bool, eps: float = 1e-5) -> None:
        super().__init__()
        self.channels, self.groups, self.eps = channels, groups, eps
        self.weight = nn.Parameter(torch.ones(channels)) if scale else None
        self.bias = nn.Parameter(torch.zeros(channels))
        self.frozen_mean: Tensor | None
        self.frozen_var: Tensor | None
        self.register_buffer("frozen_mean", None, persistent=False)
        self.register_buffer("frozen_var", None, persistent=False)
        self.pooling: Tensor | None = None
        """Weights of the pixels [K, 1, H, W] while statistics are being pooled."""

    def forward(self, x: Tensor) -> Tensor:
        """Normalise [N, C, H, W]."""
        if self.pooling is not None:
            self.freeze(*self.pooled(x, self.pooling))
        if self.frozen_mean is not None and self.frozen_var is not None:
            # In the type of the bias: x may be bfloat16 by autocast, and on the CPU no parameter may be then.
            mean, var = (self._per_channel(value).to(self.bias.dtype) for value in (self.frozen_mean, self.frozen_var))
            return F.batch_norm(x, mean, var, self.weight, self.bias, eps=self.eps)
        # With a group per channel this is instance norm, on the CPU three times as fast as torch's own. Its backward
        # pass fails for a bias without a factor, hence the ones.
        scale = torch.ones_like(self.bias) if self.weight is None else self.weight
        # Not F.group_norm, which refuses one value per group for one picture and accepts it for two.
        return torch.group_norm(x, self.groups, scale, self.bias, self.eps)

    def freeze(self, mean: Tensor | None, var: Tensor | None) -> None:
        """Use these statistics, [groups] each, from now on; None thaws the layer."""
        self.frozen_mean, self.frozen_var = mean, var

    def pooled(self, x: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and variance over all pictures and pixels, [groups] each, pixels weighted by validity."""
        share = F.interpolate(weight, size=x.shape[2:], mode="area")  # a coarse pixel counts as far as it is valid
        share = share / share.sum()  # [K, 1, h, w], sums to 1
        x = x.float()
        mean = (x * share).sum((0, 2, 3))  # [C]
        var = ((x - mean[:, None, None]).square() * share).sum((0, 2, 3))  # [C]
        group_mean = mean.view(self.groups, -1).mean(1)
        offset = mean.view(self.groups, -1) - group_mean[:, None]  # means of channels differ within their group
        return group_mean, (var.view(self.groups, -1) + offset.square()).mean(1)

    def _per_channel(self, value: Tensor) -> Tensor:
        return value.repeat_interleave(self.channels // self.groups)

    def extra_repr(self) -> str:
        """Show the sizes in the printed network."""
        return f"{self.channels}, groups={self.groups}, frozen={self.frozen_mean is not None}"


def make_norm(kind: NormKind, channels: int) -> nn.Module:
    """Return the norm called `kind` for `channels` channels."""
    if kind == "batch":
        return nn.BatchNorm2d(channels)
    if kind == "instance":
        return SpatialNorm(channels, groups=channels, scale=False)
    if kind == "group":
        return SpatialNorm(channels, groups=math.gcd(channels, GROUPS), scale=True)
    return nn.Identity()


def freeze_statistics(
    module: nn.Module, batch: Tensor, valid: Tensor | None = None, *, forward: Callable[[Tensor], Tensor] | None = None
) -> None:
    """Freeze every layer at statistics pooled over a batch, in one pass through the network.

    Each layer pools over all pictures and valid pixels and at once normalises with the result, so that the next layer
    sees what it will see afterwards. Batch norm has running statistics and is left alone.

    Args:
        module: The network or system to freeze.
        batch: Sampled tiles, or one whole picture, [K, C, H, W], as the forward pass expects them.
        valid: Pixels that count, [K, 1, H, W], bool; None means all.
        forward: What to run; `module` itself if None. For a system: `forward=system.colorize`.

    Raises:
        ValueError: If no pixel is valid.

    Example:
        >>> norm = make_norm("instance", 2)
        >>> freeze_statistics(norm, torch.randn(3, 2, 8, 8))
        >>> norm(torch.zeros(1, 2, 4, 4)).shape
        torch.Size([1, 2, 4, 4])
    """
    if valid is None:
        valid = torch.ones_like(batch[:, :1], dtype=torch.bool)
    if not bool(valid.any()):
        raise ValueError("statistics need at least one valid pixel, got none; sample other tiles")
    with torch.no_grad(), _pooling(module, valid.float()):
        (forward or module)(batch)


def frozen_statistics(module: nn.Module) -> dict[str, Tensor]:
    """Return the frozen statistics by layer, such as {"to_rgb.stem.1.mean": [C], "to_rgb.stem.1.var": [C]}."""
    statistics: dict[str, Tensor] = {}
    for name, layer in _layers(module):
        if layer.frozen_mean is not None and layer.frozen_var is not None:
            statistics |= {f"{name}.mean": layer.frozen_mean, f"{name}.var": layer.frozen_var}
    return statistics


def load_frozen(module: nn.Module, statistics: Mapping[str, Tensor]) -> None:
    """Freeze every layer at given statistics, as `frozen_statistics` returned them.

    Raises:
        ValueError: If layers are missing, unknown or of another size; names the first one.
    """
    layers = dict(_layers(module))
    expected = {f"{name}.{part}": (layer.groups,) for name, layer in layers.items() for part in ("mean", "var")}
    for name in sorted(expected.keys() | statistics.keys()):
        shape = tuple(statistics[name].shape) if name in statistics else None
        if shape != expected.get(name):
            raise ValueError(f"statistics {name}: expected {expected.get(name)}, got {shape}; sample the scene again")
    for name, layer in layers.items():
        like = layer.bias
        layer.freeze(statistics[f"{name}.mean"].to(like), statistics[f"{name}.var"].to(like))


def thaw(module: nn.Module) -> None:
    """Return every layer to the statistics of the picture before it."""
    for _, layer in _layers(module):
        layer.freeze(None, None)


def _layers(module: nn.Module) -> Iterator[tuple[str, SpatialNorm]]:
    return ((name, layer) for name, layer in module.named_modules() if isinstance(layer, SpatialNorm))


@contextmanager
def _pooling(module: nn.Module, weight: Tensor) -> Iterator[None]:
    layers = [layer for _, layer in _layers(module)]
    for layer in layers:
        layer.pooling = weight
    try:
        yield
    finally:
        for layer in layers:
            layer.pooling = None
