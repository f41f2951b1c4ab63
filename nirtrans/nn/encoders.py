"""Encoders of gray pictures: the small one of Iizuka et al. 2016, and ResNet and VGG, whose published weights fit.

ResNet and VGG carry the names of torchvision's state dicts, so that weights which a user owns can be loaded.
"""

from collections.abc import Mapping
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nirtrans.errors import CheckpointError
from nirtrans.nn.norms import NormKind, make_norm

ResNetKind = Literal["resnet18", "resnet34", "resnet50"]
DEPTHS: dict[ResNetKind, tuple[int, int, int, int]] = {
    "resnet18": (2, 2, 2, 2),
    "resnet34": (3, 4, 6, 3),
    "resnet50": (3, 4, 6, 3),
}
"""Blocks at 1/4, 1/8, 1/16 and 1/32 of the size. Source: He et al. 2016, table 1."""
VGG_LAYERS = (1, 1, 0, 2, 2, 0, 4, 4, 4, 0, 8, 8, 8)
"""VGG-16 up to conv4_3: channels as multiples of the width, 0 is a pooling. Source: Simonyan and Zisserman 2015."""


def conv3(inputs: int, outputs: int, *, stride: int = 1, norm: NormKind) -> nn.Sequential:
    """Return a 3x3 convolution with borders of 0, norm and ReLU."""
    layer = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1)
    return nn.Sequential(layer, make_norm(norm, outputs), nn.ReLU())


def small_strided(inputs: int, *, width: int = 64, norm: NormKind) -> nn.Sequential:
    """Return six convolutions to 1/8 of the size: [N, inputs, H, W] -> [N, 8 width, H/8, W/8].

    Source: Iizuka et al. 2016, table 1, low-level features; Baldassarre et al. 2017 begin with the same layers.
    """
    steps = ((1, 2), (2, 1), (2, 2), (4, 1), (4, 2), (8, 1))  # channels as multiples of the width, stride
    given = [inputs, *(width * factor for factor, _ in steps)]
    return nn.Sequential(
        *(conv3(given[i], given[i + 1], stride=stride, norm=norm) for i, (_, stride) in enumerate(steps))
    )


class VGGEncoder(nn.Module):
    """VGG-16 up to conv4_3: [N, 1, H, W] -> [N, 8 width, H/8, W/8].

    Args:
        inputs: 1, or 3 for gray shown as R = G = B, as the published weights want it.
        width: Channels of the first layer; 64 is the published network.
    """

    def __init__(self, inputs: int = 3, *, width: int = 64) -> None:
        super().__init__()
        self.inputs, self.outputs = inputs, width * VGG_LAYERS[-1]
        layers: list[nn.Module] = []
        given = inputs
        for factor in VGG_LAYERS:
            if not factor:
                layers.append(nn.MaxPool2d(2))
                continue
            layers += [nn.Conv2d(given, width * factor, 3, padding=1), nn.ReLU()]
            given = width * factor
        self.features = nn.Sequential(*layers)

    def forward(self, gray: Tensor) -> Tensor:
        """Encode; sides multiples of 8."""
        return self.features(gray.expand(-1, self.inputs, -1, -1))


class ResNetEncoder(nn.Module):
    """ResNet without its classifier, every level kept.

    Args:
        kind: Number of layers.
        inputs: 1, or 3 for gray shown as R = G = B.
        width: Channels of the stem; 64 is the published network.
        norm: Kind of normalisation; published weights want batch.

    Source: He et al. 2016, table 1; the stride of a bottleneck stands at its 3x3 convolution, as in torchvision.
    """

    def __init__(
        self, kind: ResNetKind = "resnet34", inputs: int = 1, *, width: int = 64, norm: NormKind = "batch"
    ) -> None:
        super().__init__()
        self.inputs = inputs
        wide = 4 if kind == "resnet50" else 1
        self.channels = (width, *(width * wide * 2**level for level in range(4)))
        """Of the features that `forward` returns, at 1/2 to 1/32 of the size."""
        self.conv1 = nn.Conv2d(inputs, width, 7, stride=2, padding=3, bias=norm == "none")
        self.bn1 = make_norm(norm, width)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        for level, count in enumerate(DEPTHS[kind]):
            inner, outer = width * 2**level, self.channels[level + 1]
            given = [self.channels[level], *[outer] * (count - 1)]
            blocks = (
                ResNetBlock(given[i], inner, outer, stride=2 if level and not i else 1, norm=norm, bottleneck=wide > 1)
                for i in range(count)
            )
            self.add_module(f"layer{level + 1}", nn.Sequential(*blocks))

    def forward(self, gray: Tensor) -> list[Tensor]:
        """Encode [N, 1, H, W], finest features first; sides multiples of 32."""
        x = F.relu(self.bn1(self.conv1(gray.expand(-1, self.inputs, -1, -1))))
        features = [x]
        x = self.maxpool(x)
        for level in range(1, 5):
            x = self.get_submodule(f"layer{level}")(x)
            features.append(x)
        return features


class ResNetBlock(nn.Module):
    """Two 3x3 convolutions, or one between two 1x1 ones, added to what came in. Source: He et al. 2016, figure 5."""

    def __init__(self, inputs: int, inner: int, outputs: int, *, stride: int, norm: NormKind, bottleneck: bool) -> None:
        super().__init__()
        kernels = (1, 3, 1) if bottleneck else (3, 3)
        strides = (1, stride, 1) if bottleneck else (stride, 1)
        given = [inputs, *[inner] * (len(kernels) - 1), outputs]
        self.depth = len(kernels)
        for i, (kernel, step) in enumerate(zip(kernels, strides, strict=True)):
            layer = nn.Conv2d(given[i], given[i + 1], kernel, step, kernel // 2, bias=norm == "none")
            self.add_module(f"conv{i + 1}", layer)
            self.add_module(f"bn{i + 1}", make_norm(norm, given[i + 1]))
        self.downsample: nn.Module = nn.Identity()
        if stride > 1 or inputs != outputs:
            project = nn.Conv2d(inputs, outputs, 1, stride, bias=norm == "none")
            self.downsample = nn.Sequential(project, make_norm(norm, outputs))

    def forward(self, x: Tensor) -> Tensor:
        """[N, inputs, H, W] -> [N, outputs, H / stride, W / stride]."""
        shortcut = self.downsample(x)
        for i in range(1, self.depth + 1):
            x = self.get_submodule(f"bn{i}")(self.get_submodule(f"conv{i}")(x))
            x = F.relu(x) if i < self.depth else F.relu(x + shortcut)
        return x


def load_external(
    encoder: nn.Module, tensors: Mapping[str, Tensor], *, sum_rgb_to_gray: bool = True, origin: str = "weights"
) -> None:
    """Fill an encoder with weights of a classifier of RGB pictures, which the user owns; what it does not have is left.

    Args:
        encoder: VGGEncoder or ResNetEncoder of width 64.
        tensors: A state dict with the names of torchvision.
        sum_rgb_to_gray: Where the encoder takes one channel, sum the weights of the first layer over red, green and
            blue: to show gray as R = G = B is the same.
        origin: Name of the file, for errors.

    Raises:
        CheckpointError: Naming the first tensor that is missing or of another shape; the encoder is left as it was.
    """
    found = {}
    for name, wanted in encoder.state_dict().items():
        if name.endswith("num_batches_tracked"):  # absent in old files, used by nothing
            continue
        given = tensors.get(name)
        if given is not None and sum_rgb_to_gray and given.dim() == 4 and given.shape[1] == 3 and wanted.shape[1] == 1:
            given = given.sum(1, keepdim=True)
        if given is None or given.shape != wanted.shape:
            got = "none" if given is None else str(list(given.shape))
            raise CheckpointError(
                f"{origin}: tensor {name}: expected {list(wanted.shape)}, got {got}; give the state dict of the same "
                "network, with the names of torchvision and network.width 64"
            )
        found[name] = given
    with torch.no_grad():
        encoder.load_state_dict(found, strict=False)
