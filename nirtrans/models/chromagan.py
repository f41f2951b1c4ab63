"""chromagan: VGG-16 and one vector of the whole picture, which learn colours, classes, and to pass for real.

Vitoria, Raad, Ballester: "ChromaGAN: Adversarial Picture Colorization with Semantic Class Distribution", WACV 2020. The
original code (AGPL) was not used. In its letters G1 is the chroma and G2 the class distribution of

    to_ab   G  VGG-16 to conv4_3, a local and a global branch, the decoder of Iizuka et al. 2016
    critic  D  patches of 70 px over lightness and chroma joined

What differs on purpose. The classes were those of a classifier of ImageNet (a Kullback-Leibler divergence); here they
are the labels of the user's pictures, for which it is the cross-entropy, and without labels there is no class head. The
global branch takes the mean of its last features, so that every size fits; `pooling: flatten` is the published network,
whose dense layers hold 132 million of its 171 million parameters and which sees the whole picture at 224 px. The critic
is shown true chroma as coarse as the network's, so that it cannot judge by sharpness; its LeakyReLU has the slope 0.2
(paper: 0.3). Norm stands before ReLU.
"""

from typing import Annotated, Any, Literal

from pydantic import Field
from torch import Tensor, nn

from nirtrans.color.chroma import lightness, resize_chroma
from nirtrans.color.guidance import Guidance
from nirtrans.color.ranges import ab_to_unit, standardise_gray, to_signed, unit_to_ab
from nirtrans.config import Settings
from nirtrans.losses.adversarial import GanKind
from nirtrans.losses.labels import label_loss
from nirtrans.losses.masked import blank, masked_mse
from nirtrans.models.chroma_system import ChromaSystem, true_chroma
from nirtrans.models.critique import critic_terms, generator_terms
from nirtrans.models.system import MODELS, TrainingBatch
from nirtrans.nn.augment import Augmentation
from nirtrans.nn.blocks import check_size
from nirtrans.nn.discriminators import Critic, make_critic
from nirtrans.nn.encoders import VGGEncoder, conv3
from nirtrans.nn.fusion import FusionDecoder, GlobalFeatures, dense, resize_to
from nirtrans.nn.init import init_rectified
from nirtrans.nn.norms import NormKind

Pooling = Literal["average", "flatten"]


@MODELS.add("chromagan")
class ChromaGAN(ChromaSystem):
    """Regress chroma with VGG-16 and a vector of the whole picture, against a critic; classes on request."""

    class Params(Settings):
        """Sizes of both networks and weights of the losses."""

        width: Annotated[int, Field(ge=1, le=512)] = 64
        """Channels of the first layer; the widest have eight times as many. Published VGG weights want 64."""
        gray_channels: Literal[1, 3] = 3
        """Channels of the first layer's input: 3 (the paper's) shows gray as R = G = B."""
        norm: NormKind = "batch"
        """Normalisation of the local and the global branch: batch, instance, group or none."""
        pooling: Pooling = "average"
        """How the global branch ends: average (of its features) or flatten (the published, dense layers over them)."""
        global_px: Annotated[int, Field(ge=32, le=1024, multiple_of=8)] = 224
        """Side of the picture as the global branch sees it, for flatten; a multiple of 8."""
        classes: Annotated[int, Field(ge=0, le=100_000)] = 0
        """Classes of the training pictures to learn; 0 builds no class head. The published one has 1000."""
        class_weight: Annotated[float, Field(ge=0)] = 0.003
        """Weight of their cross-entropy beside the squared error."""
        adversarial: Annotated[float, Field(ge=0)] = 0.1
        """Weight of the adversarial loss; 0 builds no critic."""
        gan: GanKind = "wgan-gp"
        """Its form: wgan-gp (the paper's), lsgan, bce or hinge."""
        critic: Critic = Critic(norm="none")
        """The critic of lightness and chroma together."""

    phases = {"generator": ("to_ab",), "discriminator": ("critic",)}
    inference = ("to_ab",)
    encoder = "to_ab.encoder"
    paper = "Vitoria, Raad, Ballester 2020"
    params: Params

    def __init__(self, params: Params, *, in_channels: int) -> None:
        super().__init__(params, in_channels=in_channels)
        p = params
        self.classes = p.classes
        self.to_ab = SemanticColorizer(
            p.gray_channels,
            width=p.width,
            norm=p.norm,
            global_px=p.global_px if p.pooling == "flatten" else None,
            classes=p.classes,
        )
        if p.adversarial:
            self.critic = make_critic(p.critic, 3)
        else:
            self.phases = {"generator": ("to_ab",)}

    def predict(self, source: Tensor, guidance: Guidance | None = None) -> Tensor:
        """Return chroma [N, 2, H/2, W/2] in CIE units; sides multiples of 8."""
        return unit_to_ab(self.to_ab(standardise_gray(source))[0].float())

    def forward_train(self, batch: TrainingBatch) -> dict[str, Any]:
        """Predict once: a and b in [0, 1]."""
        ab, logits = self.to_ab(blank(standardise_gray(batch.source), batch.valid))
        return {"ab": ab, "logits": logits}

    def losses(self, phase: str, batch: TrainingBatch, out: dict[str, Any]) -> dict[str, Tensor]:
        """Return the terms of one phase; cells without data leave all of them."""
        p, ab = self.params, out["ab"].float()
        true_ab, valid = true_chroma(batch, ab.shape[2:])
        true_ab = ab_to_unit(true_ab)
        fake, real, light = (self._shown(x, batch) for x in (ab, true_ab, lightness(batch.source) / 100))
        show = Augmentation(p.critic.augment, real, light)
        if phase == "discriminator":
            return critic_terms(self.critic, show, real, fake, gan=p.gan)
        terms = {"mse": masked_mse(ab, true_ab, valid)}
        if self.classes:
            terms["class"] = p.class_weight * label_loss(out["logits"], batch.extra.get("label"))
        if p.adversarial:
            judged = generator_terms(self.critic, show, real, fake, gan=p.gan)
            terms |= {name: p.adversarial * term for name, term in judged.items()}
        return terms

    def _shown(self, unit: Tensor, batch: TrainingBatch) -> Tensor:
        """Return what the critic sees of [N, C, h, w] in [0, 1]: in [-1, 1], of the size of the picture."""
        return blank(to_signed(resize_chroma(unit, batch.target.shape[2:])), batch.valid)


class SemanticColorizer(nn.Module):
    """Gray to chroma and, if asked for, class.

    Args:
        gray_channels: Channels of the first layer's input.
        width: Channels of the first layer.
        norm: Kind of normalisation.
        global_px: Side of the picture as dense layers over the global features see it; None averages the features.
        classes: Outputs of the class head; 0 builds none.

    Parameters at width 64 with batch norm and 1000 classes: 171,166,090 with dense layers over 224 px, 45,336,970
    with averaged features.

    Source: Vitoria et al. 2020, figure 2.
    """

    def __init__(self, gray_channels: int, *, width: int, norm: NormKind, global_px: int | None, classes: int) -> None:
        super().__init__()
        wide = 8 * width
        self.global_px = global_px
        self.encoder = VGGEncoder(gray_channels, width=width)
        self.middle = nn.Sequential(conv3(wide, wide, norm=norm), conv3(wide, 4 * width, norm=norm))
        self.whole = GlobalFeatures(wide, wide, norm=norm, average=global_px is None)
        side = 1 if global_px is None else -(-global_px // 32)
        self.vector = nn.Sequential(
            dense(wide, 16 * width, side=side, norm="none"),
            dense(16 * width, wide, norm="none"),
            dense(wide, 4 * width, norm="none"),
        )
        self.decoder = FusionDecoder(4 * width, 4 * width, width=width, norm="none")
        self.class_head = None
        if classes:
            deep = 64 * width
            self.class_head = nn.Sequential(
                dense(wide, deep, side=side, norm="none"),
                dense(deep, deep, norm="none"),
                nn.Conv2d(deep, classes, 1),
            )
        init_rectified(self, head=self.decoder.head)

    def forward(self, gray: Tensor) -> tuple[Tensor, Tensor | None]:
        """Predict from standardised gray [N, 1, H, W].

        Returns:
            a and b in [0, 1], [N, 2, H/2, W/2], and logits [N, classes] or None.

        Raises:
            InputError: If a side is no multiple of 8.
        """
        check_size(gray, halvings=3, network="chromagan")
        local = self.encoder(gray)
        seen = gray if self.global_px is None else resize_to(gray, self.global_px)
        whole = self.whole(local if seen is gray else self.encoder(seen))
        ab = self.decoder(self.middle(local), self.vector(whole)).sigmoid()
        return ab, None if self.class_head is None else self.class_head(whole).flatten(1)
