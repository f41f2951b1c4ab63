"""koalarization: a small encoder and decoder that regress chroma, told what the picture shows by a vector.

Baldassarre, Gonzalez Morin, Rodes-Guirao: "Deep Koalarization: Image Colorization using CNNs and Inception-ResNet-v2",
2017. The original code was not used. At 6.6 million parameters it is the lightest of the published systems.

What differs on purpose. The vector was the 1001 logits of an Inception-ResNet-v2, 56 million parameters made for
ImageNet; here it is zeros, or made by a ResNet-18 that learns the classes of the user's pictures beside the colours,
or what Python code passes in. Lightness is scaled to [-0.5, 0.5]. The last layer predicts at half the size,
where the loss looks too; the paper repeats those pixels, here they are interpolated. a and b are divided by 110
(published code: 127), beyond which sRGB has no colour.
"""

from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor, nn

from nirtrans.color.chroma import lightness
from nirtrans.color.guidance import Guidance
from nirtrans.color.ranges import scale_ab, scale_lightness, unscale_ab
from nirtrans.config import Settings
from nirtrans.losses.labels import label_loss
from nirtrans.losses.masked import blank, masked_mse
from nirtrans.models.chroma_system import ChromaSystem, true_chroma
from nirtrans.models.system import MODELS, TrainingBatch
from nirtrans.nn.blocks import check_size
from nirtrans.nn.encoders import ResNetEncoder, conv3, small_strided
from nirtrans.nn.fusion import FusionDecoder
from nirtrans.nn.init import init_rectified
from nirtrans.nn.norms import NormKind


@MODELS.add("koalarization")
class Koalarization(ChromaSystem):
    """Regress chroma with a small encoder and decoder; a vector says what the picture shows."""

    class Params(Settings):
        """Size of the network and where its vector comes from."""

        width: Annotated[int, Field(ge=1, le=512)] = 64
        """Channels of the first layer; the widest have eight times as many."""
        norm: NormKind = "none"
        """Normalisation after each convolution: none (the paper's), batch, instance or group."""
        embedding_size: Annotated[int, Field(ge=1, le=100_000)] = 1001
        """Numbers in the vector that says what the picture shows; the paper's has 1001."""
        classes: Annotated[int, Field(ge=0, le=100_000)] = 0
        """Classes of the training pictures, of which a ResNet-18 learns the vector; 0: the vector is 0, or what Python
        code gives as batch.extra["features"] and predict(features=...)."""
        classifier_norm: NormKind = "batch"
        """Normalisation of that ResNet-18: batch, which published weights want, instance, group or none."""
        class_weight: Annotated[float, Field(ge=0)] = 0.01
        """Weight of their cross-entropy beside the squared error of the scaled chroma."""

    phases = {"generator": ("to_ab",)}
    inference = ("to_ab",)
    paper = "Baldassarre, Gonzalez Morin, Rodes-Guirao 2017"
    params: Params

    def __init__(self, params: Params, *, in_channels: int) -> None:
        super().__init__(params, in_channels=in_channels)
        p = params
        self.classes = p.classes
        self.to_ab = EmbeddingColorizer(p.embedding_size, width=p.width, norm=p.norm)
        if p.classes:
            self.encoder = "to_ab.classifier.encoder"
            self.to_ab.classifier = Classifier(p.embedding_size, p.classes, width=p.width, norm=p.classifier_norm)

    def predict(self, source: Tensor, guidance: Guidance | None = None, *, features: Tensor | None = None) -> Tensor:
        """Return chroma [N, 2, H/2, W/2] in CIE units; sides multiples of 8.

        Args:
            source: [N, 1, H, W] in [0, 1].
            guidance: Not understood.
            features: The vector of each picture, [N, embedding_size]; None: of the network's own making.
        """
        return unscale_ab(self.to_ab(scale_lightness(lightness(source)), features)[0].float())

    def forward_train(self, batch: TrainingBatch) -> dict[str, Any]:
        """Predict once, scaled to [-1, 1]."""
        light = scale_lightness(lightness(blank(batch.source, batch.valid)))
        ab, logits = self.to_ab(light, batch.extra.get("features"))
        return {"ab": ab, "logits": logits}

    def losses(self, phase: str, batch: TrainingBatch, out: dict[str, Any]) -> dict[str, Tensor]:
        """Return the squared error of the scaled chroma, and what the classifier learns from labels."""
        ab, valid = true_chroma(batch, out["ab"].shape[2:])
        terms = {"mse": masked_mse(out["ab"], scale_ab(ab), valid)}
        if self.classes:
            terms["class"] = self.params.class_weight * label_loss(out["logits"], batch.extra.get("label"))
        return terms


class EmbeddingColorizer(nn.Module):
    """Lightness and a vector to chroma.

    Args:
        embedding: Numbers in the vector.
        width: Channels of the first layer.
        norm: Kind of normalisation.

    Attributes:
        classifier: What makes the vector of the lightness; None: it is 0.

    Parameters with a vector of 1001, no norm and no classifier: 6,574,050.
    """

    def __init__(self, embedding: int, *, width: int, norm: NormKind) -> None:
        super().__init__()
        self.embedding = embedding
        self.encoder = nn.Sequential(
            small_strided(1, width=width, norm=norm),
            conv3(8 * width, 8 * width, norm=norm),
            conv3(8 * width, 4 * width, norm=norm),
        )
        self.decoder = FusionDecoder(4 * width, embedding, width=width, norm=norm)
        self.classifier: Classifier | None = None
        init_rectified(self, head=self.decoder.head)

    def forward(self, light: Tensor, features: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Predict from lightness [N, 1, H, W] and perhaps a vector [N, embedding] instead of the network's own.

        Returns:
            Chroma [N, 2, H/2, W/2] in [-1, 1], and the logits [N, classes] or None.

        Raises:
            InputError: If a side is no multiple of 8.
            ValueError: If the vector is of another size.
        """
        check_size(light, halvings=3, network="koalarization")
        vector, logits = light.new_zeros(len(light), self.embedding, 1, 1), None
        if self.classifier is not None:
            vector, logits = self.classifier(light)
        if features is not None:
            vector = self._given(features).to(light)
        return torch.tanh(self.decoder(self.encoder(light), vector)), logits

    def _given(self, features: Tensor) -> Tensor:
        if features.dim() != 2 or features.shape[1] != self.embedding:
            raise ValueError(f"features: expected [N, {self.embedding}], got {list(features.shape)}")
        return features[:, :, None, None]


class Classifier(nn.Module):
    """A ResNet-18 over the whole picture, which makes a vector, and from it classes."""

    def __init__(self, embedding: int, classes: int, *, width: int, norm: NormKind) -> None:
        super().__init__()
        self.encoder = ResNetEncoder("resnet18", width=width, norm=norm)
        self.vector = nn.Conv2d(self.encoder.channels[-1], embedding, 1)  # dense layers, as convolutions of one pixel
        self.head = nn.Conv2d(embedding, classes, 1)
        init_rectified(self)

    def forward(self, light: Tensor) -> tuple[Tensor, Tensor]:
        """[N, 1, H, W] -> vector [N, embedding, 1, 1] and logits [N, classes]."""
        vector = self.vector(self.encoder(light)[-1].mean((2, 3), keepdim=True))
        return vector, self.head(vector).flatten(1)
