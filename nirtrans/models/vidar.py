"""vidar: a U-Net of residual channel-attention blocks, trained with the root mean squared error alone.

Entry of the team VIDAR to the NTIRE 2019 challenge on colorization (Gu et al., CVPR workshops 2019), first by PSNR and
SSIM on both tracks, and greyish, as a plain distance makes colours. No code was published; nothing is copied.

    to_ab  `AttentionUNet`: lightness, on track 2 with hints, to a and b

The report states the idea alone. Sizes are ours, as is the colour space: hints are a, b and a mask, where the report
has RGB and a mask.
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
from nirtrans.nn.conditioning import HintKind, simulate_hints, stack_hints


@MODELS.add("vidar")
class VIDAR(ChromaSystem):
    """Regress a and b with channel attention under the root mean squared error."""

    class Params(Settings):
        """Size of the network, and what hints it learns."""

        width: Annotated[int, Field(ge=1, le=256)] = 64
        """Channels at full size; they double with each halving."""
        depth: Annotated[int, Field(ge=1, le=6)] = 3
        """Halvings."""
        blocks: Annotated[int, Field(ge=1, le=32)] = 4
        """Residual blocks of each level."""
        hints: HintKind | None = None
        """Hints of training: pixels (5 to 15, as on track 2), patches, strokes; None: it takes none (track 1)."""

    phases = {"generator": ("to_ab",)}
    inference = ("to_ab",)
    guidance = frozenset({"points"})
    paper = "Gu et al. 2019, NTIRE challenge, team VIDAR"
    params: Params

    def __init__(self, params: Params, *, in_channels: int) -> None:
        super().__init__(params, in_channels=in_channels)
        widths = [params.width * 2**level for level in range(params.depth + 1)]
        self.to_ab = AttentionUNet(1, 2, widths=widths, blocks=params.blocks, hinted=params.hints is not None)
        self.guidance = frozenset({"points"} if params.hints else ())

    def predict(self, source: Tensor, guidance: Guidance | None = None) -> Tensor:
        """Return chroma of the size of the source, in CIE units; sides multiples of 2 ** depth."""
        hints = stack_hints(guidance) if guidance and self.params.hints else None
        return unscale_ab(self.to_ab(scale_lightness(lightness(source)), hints))

    def forward_train(self, batch: TrainingBatch) -> dict[str, Any]:
        """Colorize once, with hints drawn from the truth if they are learnt; ab / 110."""
        ab, kind = chroma(blank(batch.target, batch.valid)), self.params.hints
        light = scale_lightness(lightness(blank(batch.source, batch.valid)))
        hints = stack_hints(simulate_hints(kind, ab, batch.valid)) if kind else None
        return {"real": scale_ab(ab), "fake": self.to_ab(light, hints)}

    def losses(self, phase: str, batch: TrainingBatch, out: dict[str, Any]) -> dict[str, Tensor]:
        """Return the root mean squared error of ab / 110 where there are data."""
        return {"rmse": masked_rmse(out["fake"], out["real"], batch.valid)}
