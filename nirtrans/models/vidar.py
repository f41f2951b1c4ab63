"""vidar: a U-Net of residual channel-attention blocks, trained with the root mean squared error alone.

Entry of the team VIDAR to the NTIRE 2019 challenge on colorization (Gu et al., CVPR workshops 2019), first by PSNR and
SSIM on both tracks, and greyish, as a plain distance makes colours. No code was published; nothing is copied.

    to_ab  `AttentionUNet`: lightness, on track 2 with hints, to a and b

The report states the idea alone. Sizes are ours, as is the colour space.
"""

from typing import Annotated, Any

from pydantic import Field
from torch import Tensor

from nirtrans.color.chroma import chroma, lightness
from nirtrans.color.guidance import Guidance
from nirtrans.color.ranges import scale_ab, scale_lightness, unscale_ab
from nirtrans.config import Settings
from nirtrans.losses.masked import blank, masked_rmse
from nirtrans.models.chroma_system import ChromaSystem
from nirtrans.models.system import MODELS, TrainingBatch
from nirtrans.nn.channel_attention import AttentionUNet


@MODELS.add("vidar")
class VIDAR(ChromaSystem):
    """Regress a and b with channel attention under the root mean squared error."""

    class Params(Settings):
        """Size of the network."""

        width: Annotated[int, Field(ge=1, le=256)] = 64
        """Channels at full size; they double with each halving."""
        depth: Annotated[int, Field(ge=1, le=6)] = 3
        """Halvings."""
        blocks: Annotated[int, Field(ge=1, le=32)] = 4
        """Residual blocks of each level."""

    phases = {"generator": ("to_ab",)}
    inference = ("to_ab",)
    paper = "Gu et al. 2019, NTIRE challenge, team VIDAR"
    params: Params

    def __init__(self, params: Params, *, in_channels: int) -> None:
        super().__init__(params, in_channels=in_channels)
        widths = [params.width * 2**level for level in range(params.depth + 1)]
        self.to_ab = AttentionUNet(1, 2, widths=widths, blocks=params.blocks)

    def predict(self, source: Tensor, guidance: Guidance | None = None) -> Tensor:
        """Return chroma of the size of the source, in CIE units; sides multiples of 2 ** depth."""
        return unscale_ab(self.to_ab(scale_lightness(lightness(source))))

    def forward_train(self, batch: TrainingBatch) -> dict[str, Any]:
        """Colorize once; ab / 110."""
        return {"fake": self.to_ab(scale_lightness(lightness(blank(batch.source, batch.valid))))}

    def losses(self, phase: str, batch: TrainingBatch, out: dict[str, Any]) -> dict[str, Tensor]:
        """Return the root mean squared error of ab / 110 where there are data."""
        real = scale_ab(chroma(blank(batch.target, batch.valid)))
        return {"rmse": masked_rmse(out["fake"], real, batch.valid)}
