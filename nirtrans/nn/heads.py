"""What stands at the end of colorization networks: classes of the ab plane, and colours from them."""

import torch
from torch import Tensor, nn

from nirtrans.color.bins import BinSpec, Decoding
from nirtrans.kernels import class_weights


class BinDecoder(nn.Module):
    """Turn logits over bins into colours.

    Args:
        spec: The bins.
        how: annealed, mean or mode; see `BinSpec.decode`.
        temperature: Of the annealed mean.
    """

    def __init__(self, spec: BinSpec, *, how: Decoding = "annealed", temperature: float = 0.38) -> None:
        super().__init__()
        self.spec, self.how, self.temperature = spec, how, temperature

    def forward(self, logits: Tensor) -> Tensor:
        """[N, Q, H, W] before softmax -> [N, 2, H, W] in CIE units."""
        return self.spec.decode(logits, how=self.how, temperature=self.temperature)

    def extra_repr(self) -> str:
        """Show what is decoded how."""
        return f"{len(self.spec)} bins, {self.how}"


class BinPrior(nn.Module):
    """How often each bin occurs in the training pictures: a buffer, so that weights files and states hold it.

    Until `learn` is called all bins are equally frequent, and nothing is rebalanced. Before training the engine calls
    it on every layer of this kind with the frequencies in the training pictures.

    Args:
        spec: The bins.
    """

    def __init__(self, spec: BinSpec) -> None:
        super().__init__()
        self.spec = spec
        self.frequency: Tensor
        self.register_buffer("frequency", torch.full((len(spec),), 1 / len(spec)))

    def learn(self, frequency: Tensor) -> None:
        """Take frequencies [Q] that sum to 1.

        Raises:
            ValueError: If they are not one number per bin.
        """
        if frequency.shape != self.frequency.shape:
            raise ValueError(f"expected one frequency for each of {len(self.spec)} bins, got {tuple(frequency.shape)}")
        self.frequency.copy_(frequency)

    def weights(self, mix: float) -> Tensor:
        """Return the weight of each bin in a loss, [Q]; see `nirtrans.kernels.class_weights`."""
        return class_weights(self.frequency, mix=mix)
