"""8-bit images to normalised Lab and back, beside what is done without a kernel for it."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from nirtrans.bench.case import Case, Setting, absent, calls, farthest, installed, with_compiled
from nirtrans.bench.timing import Contestant
from nirtrans.kernels import image_to_lab, lab_to_image, reference

PEERS = {"kornia": "kornia", "OpenCV": "cv2", "scikit-image": "skimage"}
L_NORM, AB_NORM = (50.0, 50.0), 110.0

Convert = Callable[[Tensor], Tensor]


def image_cases(shape: tuple[int, ...], setting: Setting) -> Iterator[Case]:
    """Yield both directions for `shape`, [N, 3, H, W]."""
    n, _, h, w = shape
    pixels = torch.randint(0, 256, (n, h, w, 3), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    yield _decode(pixels.to(setting.device), setting)
    yield _encode(pixels.to(setting.device), setting)


def _decode(pixels: Tensor, setting: Setting) -> Case:
    expected = reference.rgb_to_lab(pixels.movedim(-1, 1).double() / 255)
    functions = {"nirtrans": image_to_lab, "our twin in torch": reference.image_to_lab}
    contestants = calls(functions | with_compiled(_kornia_decoders(), setting.compiled), pixels)
    return Case(
        operation="image_to_lab, to L and ab divided as for a network",
        shape=tuple(pixels.shape),
        dtype="uint8 to float32",
        contestants=contestants + (_array_decoders(pixels) if setting.device == "cpu" else []),
        deviation=lambda result: farthest(_cie(result), expected),
        gate=2e-4,
        unit="Lab",
        moved_bytes=5 * pixels.nbytes,
        device=setting.device,
        absent=absent(PEERS if setting.device == "cpu" else {"kornia": "kornia"}),
    )


def _encode(pixels: Tensor, setting: Setting) -> Case:
    lab = image_to_lab(pixels)
    functions = {"nirtrans": lab_to_image, "our twin in torch": reference.lab_to_image}
    contestants = calls(functions | with_compiled(_kornia_encoders(), setting.compiled), lab)
    peers = {"kornia": "kornia", "OpenCV": "cv2"} if setting.device == "cpu" else {"kornia": "kornia"}
    return Case(
        operation="lab_to_image, of the result above",
        shape=tuple(lab.shape),
        dtype="float32 to uint8",
        contestants=contestants + (_array_encoders(lab) if setting.device == "cpu" else []),
        deviation=lambda result: farthest(result.short(), pixels.short().double()),
        gate=0.0,
        unit="levels",
        moved_bytes=5 * pixels.nbytes,
        device=setting.device,
        absent=absent(peers),
    )


def _cie(normalised: Tensor) -> Tensor:
    lightness, chroma = normalised.double().split((1, 2), dim=1)
    return torch.cat((lightness * L_NORM[1] + L_NORM[0], chroma * AB_NORM), dim=1)


def _kornia_decoders() -> dict[str, Convert]:
    if not installed("kornia"):
        return {}
    import kornia.color

    def decode(pixels: Tensor) -> Tensor:
        lab = kornia.color.rgb_to_lab(pixels.permute(0, 3, 1, 2).float() / 255)
        return torch.cat(((lab[:, :1] - L_NORM[0]) / L_NORM[1], lab[:, 1:] / AB_NORM), dim=1)

    return {"kornia": decode}


def _kornia_encoders() -> dict[str, Convert]:
    if not installed("kornia"):
        return {}
    import kornia.color

    def encode(lab: Tensor) -> Tensor:
        lab = torch.cat((lab[:, :1] * L_NORM[1] + L_NORM[0], lab[:, 1:] * AB_NORM), dim=1)
        return (kornia.color.lab_to_rgb(lab) * 255).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous()

    return {"kornia": encode}


def _array_decoders(pixels: Tensor) -> list[Contestant]:
    """Peers on arrays, up to the same tensor; 8-bit OpenCV stays in 8 bits and is listed for its speed alone."""
    pictures = list(pixels.numpy())
    peers = []
    if installed("cv2"):
        import cv2

        def opencv() -> Tensor:
            floats = [picture.astype(np.float32) / 255 for picture in pictures]
            return _normalised([cv2.cvtColor(picture, cv2.COLOR_RGB2Lab) for picture in floats])

        def opencv_8_bit() -> list[np.ndarray]:
            return [cv2.cvtColor(picture, cv2.COLOR_RGB2Lab) for picture in pictures]

        peers = [Contestant("OpenCV float32", opencv), Contestant("OpenCV 8-bit", opencv_8_bit, None)]
    if installed("skimage"):
        import skimage.color

        peers.append(
            Contestant("scikit-image", lambda: _normalised([skimage.color.rgb2lab(picture) for picture in pictures]))
        )
    return peers


def _normalised(pictures: list[np.ndarray]) -> Tensor:
    lab = torch.stack([torch.from_numpy(picture) for picture in pictures]).permute(0, 3, 1, 2)
    return torch.cat(((lab[:, :1] - L_NORM[0]) / L_NORM[1], lab[:, 1:] / AB_NORM), dim=1).contiguous()


def _array_encoders(lab: Tensor) -> list[Contestant]:
    if not installed("cv2"):
        return []
    import cv2

    def opencv() -> Tensor:
        scaled = torch.cat((lab[:, :1] * L_NORM[1] + L_NORM[0], lab[:, 1:] * AB_NORM), dim=1)
        pictures = scaled.permute(0, 2, 3, 1).contiguous().numpy()
        rgb = [cv2.cvtColor(picture, cv2.COLOR_Lab2RGB) for picture in pictures]
        return torch.stack([torch.from_numpy(np.rint(picture * 255).astype(np.uint8)) for picture in rgb])

    return [Contestant("OpenCV float32", opencv)]
