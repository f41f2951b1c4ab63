"""colorcapsnet: colours of 9 x 9 patches from capsules.

Ozbulak: "Image colorization by capsule networks", CVPR workshops 2019, the entry of the team ITU-GO to the NTIRE 2019
challenge on colorization. The code that its author published was read for the layer tables; nothing is copied.

    to_ab  `PatchColorizer`: gray patches to L, a and b

Loss: mean square of the three channels in [0, 1], as 8-bit Lab has them; only a and b are used.

What differs on purpose. The paper colours patches side by side, which leaves blocks; here they overlap in use and are
averaged (`stride`; 9 is the paper's). Its first two layers begin with weights of VGG-19, here at random. It keeps every
fourth patch of a picture, here all of those of a crop. Its three rounds (ImageNet, then DIV2K, then the *validation*
pictures of DIV2K) are two at most: `--init-from` continues with other pictures, and validation pictures stay apart.
"""

from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor

from nirtrans.color.guidance import Guidance
from nirtrans.color.ranges import lab_to_unit, unit_to_ab
from nirtrans.config import Settings
from nirtrans.kernels import rgb_to_lab
from nirtrans.losses.masked import blank, masked_mse
from nirtrans.models.chroma_system import ChromaSystem
from nirtrans.models.system import MODELS, TrainingBatch
from nirtrans.nn.capsules import PATCH_PX, PatchColorizer


@MODELS.add("colorcapsnet")
class ColorCapsNet(ChromaSystem):
    """Regress Lab of small patches with capsules; overlapping patches are averaged."""

    class Params(Settings):
        """Size of the network and of the steps between patches."""

        width: Annotated[int, Field(ge=2, le=512)] = 64
        """Channels of the first layers."""
        routing: Annotated[int, Field(ge=1, le=10)] = 1
        """Iterations of routing between the capsules."""
        stride: Annotated[int, Field(ge=1, le=PATCH_PX)] = 3
        """Pixels between patches in use: 9 is the paper's and leaves blocks, fewer are averaged and take longer."""

    phases = {"generator": ("to_ab",)}
    inference = ("to_ab",)
    paper = "Ozbulak 2019, NTIRE challenge, team ITU-GO"
    params: Params

    def __init__(self, params: Params, *, in_channels: int) -> None:
        super().__init__(params, in_channels=in_channels)
        self.to_ab = PatchColorizer(width=params.width, routing=params.routing, stride=params.stride)

    def predict(self, source: Tensor, guidance: Guidance | None = None) -> Tensor:
        """Return chroma of the size of the source, in CIE units."""
        return unit_to_ab(self.to_ab(source.mean(1, keepdim=True))[:, 1:])

    def forward_train(self, batch: TrainingBatch) -> dict[str, Any]:
        """Colorize once, in patches side by side; L, a and b in [0, 1]."""
        return {"lab": self.to_ab(blank(batch.source, batch.valid))}

    def losses(self, phase: str, batch: TrainingBatch, out: dict[str, Any]) -> dict[str, Tensor]:
        """Return the mean square of the three channels where there are data."""
        with torch.no_grad():
            real = lab_to_unit(rgb_to_lab(blank(batch.target, batch.valid)))
        return {"mse": masked_mse(out["lab"], real, batch.valid)}
