"""resnet-unet: a U-Net over ResNet that regresses chroma, first by L1, then by squared error.

After a published comparison of U-Nets with the entries of the NTIRE 2019 colorization challenge; the encoder is that of
He et al. 2016, the decoder one of Ronneberger et al. 2015. No code was used. The comparison names the encoder, the two
stages of training and the weight of SSIM; sizes of the decoder are ours.

The two stages are the phases `l1` and `mse`; both train the same network. On request a critic of lightness and chroma
takes part in both: more colour, more mistakes. The comparison does not say in which form, so it can be chosen.
"""

from typing import Annotated, Any, Literal

from pydantic import Field
from torch import Tensor, nn

from nirtrans.color.chroma import lightness
from nirtrans.color.guidance import Guidance
from nirtrans.color.ranges import scale_ab, scale_lightness, standardise_gray, to_unit, unscale_ab
from nirtrans.config import Settings
from nirtrans.losses.adversarial import GanKind
from nirtrans.losses.masked import blank, masked_l1, masked_mse
from nirtrans.losses.structural import ssim_loss
from nirtrans.models.chroma_system import ChromaSystem, true_chroma
from nirtrans.models.critique import critic_terms, generator_terms
from nirtrans.models.system import MODELS, TrainingBatch
from nirtrans.nn.augment import Augmentation
from nirtrans.nn.blocks import check_size
from nirtrans.nn.decoders import UNetDecoder
from nirtrans.nn.discriminators import Critic, make_critic
from nirtrans.nn.encoders import ResNetEncoder, ResNetKind
from nirtrans.nn.init import init_rectified
from nirtrans.nn.norms import NormKind

HALVINGS = 5


@MODELS.add("resnet-unet")
class ResNetUNet(ChromaSystem):
    """Regress chroma with a U-Net over ResNet, in two stages: L1, then squared error, both with SSIM."""

    class Params(Settings):
        """Size of the network and weights of the losses."""

        encoder: ResNetKind = "resnet34"
        """The encoder: resnet18, resnet34 or resnet50."""
        width: Annotated[int, Field(ge=4, le=512)] = 64
        """Channels of its first layer; published weights want 64."""
        gray_channels: Literal[1, 3] = 1
        """Channels of the first layer's input: 3 shows gray as R = G = B."""
        norm: NormKind = "batch"
        """Normalisation: batch, instance, group or none; published weights want batch."""
        ssim: Annotated[float, Field(ge=0)] = 1e-3
        """Weight of 1 - SSIM of a and b beside L1 and squared error; at 0.001 it hardly matters."""
        adversarial: Annotated[float, Field(ge=0)] = 0.0
        """Weight of the adversarial loss; 0 builds no critic."""
        gan: GanKind = "bce"
        """Its form: bce, lsgan, hinge or wgan-gp."""
        critic: Critic = Critic()
        """The critic of lightness and chroma together."""

    phases = {"l1": ("to_ab",), "mse": ("to_ab",)}
    stages: tuple[tuple[str, ...], ...] = (("l1",), ("mse",))
    inference = ("to_ab",)
    encoder = "to_ab.encoder"
    paper = "U-Net over ResNet-34, parts of He et al. 2016 and Ronneberger et al. 2015"
    params: Params

    def __init__(self, params: Params, *, in_channels: int) -> None:
        super().__init__(params, in_channels=in_channels)
        p = params
        self.to_ab = ResNetColorizer(p.encoder, p.gray_channels, width=p.width, norm=p.norm)
        if p.adversarial:
            self.critic = make_critic(p.critic, 3)
            self.phases = type(self).phases | {"discriminator": ("critic",)}
            self.stages = (("l1", "discriminator"), ("mse", "discriminator"))

    def predict(self, source: Tensor, guidance: Guidance | None = None) -> Tensor:
        """Return chroma [N, 2, H, W] in CIE units; sides multiples of 32."""
        return unscale_ab(self.to_ab(standardise_gray(source)).float())

    def forward_train(self, batch: TrainingBatch) -> dict[str, Any]:
        """Predict once; all in [-1, 1]."""
        ab = self.to_ab(blank(standardise_gray(batch.source), batch.valid))
        return {"ab": ab, "light": 2 * scale_lightness(lightness(blank(batch.source, batch.valid)))}

    def losses(self, phase: str, batch: TrainingBatch, out: dict[str, Any]) -> dict[str, Tensor]:
        """Return the terms of one phase; pixels without data leave all of them."""
        p, fake, valid = self.params, out["ab"].float(), batch.valid
        real = scale_ab(true_chroma(batch, fake.shape[2:])[0])
        show = Augmentation(p.critic.augment, real, blank(out["light"], valid))
        if phase == "discriminator":
            return critic_terms(self.critic, show, blank(real, valid), blank(fake, valid), gan=p.gan)
        distance = masked_l1 if phase == "l1" else masked_mse
        terms = {phase: distance(fake, real, valid)}
        if p.ssim:
            terms["ssim"] = p.ssim * ssim_loss(to_unit(fake), to_unit(real), valid)
        if p.adversarial:
            judged = generator_terms(self.critic, show, blank(real, valid), blank(fake, valid), gan=p.gan)
            terms |= {name: p.adversarial * term for name, term in judged.items()}
        return terms


class ResNetColorizer(nn.Module):
    """Gray to chroma: ResNet, a U-Net decoder with half its channels at each doubling, a 3x3 convolution.

    Args:
        encoder: Which ResNet.
        gray_channels: Channels of the first layer's input.
        width: Channels of the first layer.
        norm: Kind of normalisation.
    """

    def __init__(self, encoder: ResNetKind, gray_channels: int, *, width: int, norm: NormKind) -> None:
        super().__init__()
        self.encoder = ResNetEncoder(encoder, gray_channels, width=width, norm=norm)
        widths = [max(1, 4 * width >> level) for level in range(HALVINGS)]  # 256, 128, 64, 32, 16
        self.decoder = UNetDecoder(self.encoder.channels, widths, norm=norm)
        self.head = nn.Conv2d(widths[-1], 2, 3, padding=1)
        init_rectified(self, head=self.head)

    def forward(self, gray: Tensor) -> Tensor:
        """Map standardised gray [N, 1, H, W] to a and b in [-1, 1], [N, 2, H, W].

        Raises:
            InputError: If a side is no multiple of 32.
        """
        check_size(gray, halvings=HALVINGS, network="resnet-unet")
        return self.head(self.decoder(self.encoder(gray))).tanh()
