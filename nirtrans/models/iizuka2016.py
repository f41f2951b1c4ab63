"""iizuka2016: what is seen at each place and what the whole picture shows, learnt together with its class.

Iizuka, Simo-Serra, Ishikawa: "Let there be Color!: Joint End-to-end Learning of Global and Local Image Priors for
Automatic Image Colorization with Simultaneous Classification", SIGGRAPH 2016. The original code and weights
(CC BY-NC-SA) were not used. The low-level layers see the picture twice: at its size for the local features, resized to
224 px for the global ones.

What differs on purpose. ADADELTA is replaced by AdamW. The loss looks at half the size, where the network predicts.
Without labels the class head is not built, and the global features learn from the colours alone.
"""

from typing import Annotated, Any

from pydantic import Field
from torch import Tensor, nn

from nirtrans.color.chroma import lightness
from nirtrans.color.guidance import Guidance
from nirtrans.color.ranges import ab_to_unit, scale_lightness, unit_to_ab
from nirtrans.config import Settings
from nirtrans.losses.labels import label_loss
from nirtrans.losses.masked import blank, masked_mse
from nirtrans.models.chroma_system import ChromaSystem, true_chroma
from nirtrans.models.system import MODELS, TrainingBatch
from nirtrans.nn.blocks import check_size
from nirtrans.nn.encoders import conv3, small_strided
from nirtrans.nn.fusion import FusionDecoder, GlobalFeatures, dense, resize_to
from nirtrans.nn.init import init_rectified
from nirtrans.nn.norms import NormKind


@MODELS.add("iizuka2016")
class Iizuka2016(ChromaSystem):
    """Regress chroma from local features and one vector of the whole picture, which may learn its class too."""

    class Params(Settings):
        """Size of the network and the class that it learns."""

        width: Annotated[int, Field(ge=1, le=512)] = 64
        """Channels of the first layer; the widest have eight times as many."""
        norm: NormKind = "batch"
        """Normalisation after each convolution, batch norm also after each dense layer."""
        global_px: Annotated[int, Field(ge=32, le=1024, multiple_of=8)] = 224
        """Side of the picture as the global features see it, a multiple of 8."""
        classes: Annotated[int, Field(ge=0, le=100_000)] = 0
        """Classes of the training pictures to learn; 0 builds no class head. The paper's Places has 205."""
        class_weight: Annotated[float, Field(ge=0)] = 1 / 300
        """Weight of their cross-entropy beside the squared error (alpha)."""

    phases = {"generator": ("to_ab",)}
    inference = ("to_ab",)
    paper = "Iizuka, Simo-Serra, Ishikawa 2016"
    params: Params

    def __init__(self, params: Params, *, in_channels: int) -> None:
        super().__init__(params, in_channels=in_channels)
        p = params
        self.classes = p.classes
        self.to_ab = GlobalLocalColorizer(width=p.width, norm=p.norm, global_px=p.global_px, classes=p.classes)

    def predict(self, source: Tensor, guidance: Guidance | None = None, *, style: Tensor | None = None) -> Tensor:
        """Return chroma [N, 2, H/2, W/2] in CIE units; sides multiples of 8.

        Args:
            source: [N, 1, H, W] in [0, 1].
            guidance: Not understood.
            style: Another picture [N, 1, h, w] in [0, 1], whose global features take the place of the source's:
                section 4.5 of the paper.
        """
        whole = None if style is None else scale_lightness(lightness(style))
        return unit_to_ab(self.to_ab(scale_lightness(lightness(source)), whole)[0].float())

    def forward_train(self, batch: TrainingBatch) -> dict[str, Any]:
        """Predict once, a and b in [0, 1]."""
        ab, logits = self.to_ab(scale_lightness(lightness(blank(batch.source, batch.valid))))
        return {"ab": ab, "logits": logits}

    def losses(self, phase: str, batch: TrainingBatch, out: dict[str, Any]) -> dict[str, Tensor]:
        """Return the squared error of the chroma in [0, 1], and the class where it is learnt; equation 5."""
        ab, valid = true_chroma(batch, out["ab"].shape[2:])
        terms = {"mse": masked_mse(out["ab"], ab_to_unit(ab), valid)}
        if self.classes:
            terms["class"] = self.params.class_weight * label_loss(out["logits"], batch.extra.get("label"))
        return terms


class GlobalLocalColorizer(nn.Module):
    """Lightness to chroma and, if asked for, class.

    Args:
        width: Channels of the first layer.
        norm: Kind of normalisation.
        global_px: Side of the picture as the global features see it.
        classes: Outputs of the class head; 0 builds none.

    Parameters at width 64 with batch norm, 224 px and 205 classes: 42,367,343.

    Source: Iizuka et al. 2016, figure 2 and table 1.
    """

    def __init__(self, *, width: int, norm: NormKind, global_px: int, classes: int) -> None:
        super().__init__()
        wide = 8 * width
        self.global_px = global_px
        self.low = small_strided(1, width=width, norm=norm)
        self.middle = nn.Sequential(conv3(wide, wide, norm=norm), conv3(wide, 4 * width, norm=norm))
        self.whole = GlobalFeatures(wide, wide, norm=norm, average=False)
        side = -(-global_px // 32)
        self.known = nn.Sequential(dense(wide, 16 * width, side=side, norm=norm), dense(16 * width, wide, norm=norm))
        self.vector = dense(wide, 4 * width, norm=norm)
        self.decoder = FusionDecoder(4 * width, 4 * width, width=width, norm=norm)
        self.class_head = None
        if classes:
            self.class_head = nn.Sequential(dense(wide, 4 * width, norm=norm), nn.Conv2d(4 * width, classes, 1))
        init_rectified(self, head=self.decoder.head)

    def forward(self, light: Tensor, whole: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Predict from lightness [N, 1, H, W], seen as a whole in another picture's place if one is given.

        Returns:
            a and b in [0, 1], [N, 2, H/2, W/2], and logits [N, classes] or None.

        Raises:
            InputError: If a side is no multiple of 8.
        """
        check_size(light, halvings=3, network="iizuka2016")
        local = self.low(light)
        seen = resize_to(light if whole is None else whole, self.global_px)
        known = self.known(self.whole(local if seen is light else self.low(seen)))
        ab = self.decoder(self.middle(local), self.vector(known)).sigmoid()
        return ab, None if self.class_head is None else self.class_head(known).flatten(1)
