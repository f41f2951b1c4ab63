"""ipcv: a dense encoder, a dense-residual decoder and pyramid pooling, under a plain distance.

Entry of the team IPCV_IITM to the NTIRE 2019 challenge on colorization (Gu et al., CVPR workshops 2019), first by
human votes on track 1. No code was published; nothing is copied.

    to_ab  `DenseUNet`: lightness to a and b

The report states the idea alone. All sizes are ours (see `nirtrans.nn.dense`), as are the colour space and the weights
of the losses. Its perceptual loss, which needs a classifier of others, is left out.
"""

from typing import Annotated, Any

from pydantic import Field
from torch import Tensor

from nirtrans.color.chroma import chroma, lightness
from nirtrans.color.guidance import Guidance
from nirtrans.color.ranges import scale_ab, scale_lightness, unscale_ab
from nirtrans.config import Settings
from nirtrans.losses.masked import blank, masked_l1, masked_mse
from nirtrans.models.chroma_system import ChromaSystem
from nirtrans.models.system import MODELS, TrainingBatch
from nirtrans.nn.dense import DenseUNet

Weight = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1, le=64)]


@MODELS.add("ipcv")
class IPCV(ChromaSystem):
    """Regress a and b with dense blocks and pyramid pooling."""

    class Params(Settings):
        """Size of the network and weights of the losses."""

        dense_layers: tuple[Count, Count, Count] = (6, 12, 24)
        """Layers of the three dense blocks."""
        growth: Annotated[int, Field(ge=1, le=256)] = 32
        """Channels that each of them adds."""
        width: Annotated[int, Field(ge=4, le=512)] = 64
        """Channels of the first convolution; the decoder follows it, from four times to half as many."""
        l1: Weight = 1.0
        """Weight of the mean absolute difference, ab / 110."""
        mse: Weight = 1.0
        """Weight of the mean squared difference, ab / 110."""

    phases = {"generator": ("to_ab",)}
    inference = ("to_ab",)
    paper = "Gu et al. 2019, NTIRE challenge, team IPCV_IITM"
    params: Params

    def __init__(self, params: Params, *, in_channels: int) -> None:
        super().__init__(params, in_channels=in_channels)
        p = params
        decoder = [4 * p.width, 2 * p.width, 3 * p.width // 2, p.width, p.width // 2]
        self.to_ab = DenseUNet(1, 2, layers=p.dense_layers, growth=p.growth, width=p.width, decoder=decoder)

    def predict(self, source: Tensor, guidance: Guidance | None = None) -> Tensor:
        """Return chroma of the size of the source, in CIE units; sides multiples of 32."""
        return unscale_ab(self.to_ab(scale_lightness(lightness(source))))

    def forward_train(self, batch: TrainingBatch) -> dict[str, Any]:
        """Colorize once; ab / 110."""
        return {"fake": self.to_ab(scale_lightness(lightness(blank(batch.source, batch.valid))))}

    def losses(self, phase: str, batch: TrainingBatch, out: dict[str, Any]) -> dict[str, Tensor]:
        """Return the weighted distances to the true chroma where there are data."""
        real = scale_ab(chroma(blank(batch.target, batch.valid)))
        weights = {"l1": (self.params.l1, masked_l1), "mse": (self.params.mse, masked_mse)}
        return {
            name: weight * distance(out["fake"], real, batch.valid)
            for name, (weight, distance) in weights.items()
            if weight
        }
