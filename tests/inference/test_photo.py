"""Pictures whose lightness stays: it does, at any size; colours come from the small picture and end at its edges."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from nirtrans.color.chroma import lightness
from nirtrans.color.guidance import Guidance, no_guidance
from nirtrans.color.luma import luma
from nirtrans.errors import InputError
from nirtrans.inference import photo
from nirtrans.inference.photo import colorize_photo, predict_photo, shrink
from nirtrans.inference.scene import ArrayScene
from nirtrans.inference.upsample import upsampled
from nirtrans.io.images import read_image, to_unit
from nirtrans.kernels import rgb_to_lab
from tests.inference.chroma_systems import Plain, Warm, photo_colorizer

SIZES = [(1, 1), (1, 700), (700, 1), (3, 5), (31, 33), (64, 48), (200, 90)]


def picture(height: int, width: int) -> np.ndarray:
    """A dark and a bright half with a little noise, [1, H, W] in [0, 1]."""
    noise = np.random.default_rng(0).random((1, height, width), dtype=np.float32) * 0.1
    noise[..., width // 2 :] += 0.8
    return noise


def lab(rgb: np.ndarray) -> torch.Tensor:
    return rgb_to_lab(torch.from_numpy(rgb)[None])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("upsample", ["guided", "bilinear"])
def test_lightness_stays_at_any_size(size: tuple[int, int], upsample: str) -> None:
    gray = picture(*size)
    rgb = colorize_photo(photo_colorizer().photo_model(), gray, upsample=upsample)
    assert rgb.shape == (3, *size)
    assert rgb.min() >= 0
    assert rgb.max() <= 1
    wanted = lightness(torch.from_numpy(gray)[None])
    torch.testing.assert_close(lab(rgb)[:, :1], wanted, atol=0.02, rtol=0)


@pytest.mark.parametrize(
    ("size", "shown", "padded"),
    [
        ((480, 640), (32, 40), (32, 40)),
        ((20, 20), (32, 32), (32, 32)),
        ((1, 20000), (1, 256), (32, 256)),
        ((20000, 2), (256, 1), (256, 32)),
        ((100, 500), (32, 160), (32, 160)),
    ],
)
def test_size_that_the_network_sees(size: tuple[int, int], shown: tuple[int, int], padded: tuple[int, int]) -> None:
    system = Warm()
    model = photo_colorizer(system).photo_model()
    assert model.seen_size(*size) == (shown, padded)
    colorize_photo(model, picture(*size))
    assert system.seen == [torch.Size((1, 1, *padded))]


def test_size_of_choice() -> None:
    colorizer = photo_colorizer()
    assert colorizer.photo_model(64).seen_size(100, 200).shown == (64, 128)
    assert colorizer.photo_model(60).seen_size(100, 100).shown == (64, 64)
    with pytest.raises(InputError, match="--size 16: warm needs at least 32; use --size auto"):
        colorizer.photo_model(16)
    assert photo_colorizer(bounded=False).photo_model(16).seen_size(90, 90).shown == (16, 16)


def test_strips_are_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    gray, model = picture(57, 43), photo_colorizer().photo_model()
    whole = colorize_photo(model, gray)
    monkeypatch.setattr(photo, "STRIP_PX", 1)
    np.testing.assert_allclose(colorize_photo(model, gray), whole, atol=1e-6)


def test_colours_end_where_lightness_does() -> None:
    gray = picture(256, 256)  # the small picture has pixels of 8
    model = photo_colorizer().photo_model()
    left = {}
    for way in ("guided", "bilinear"):
        light = lightness(torch.from_numpy(gray)[None])
        chroma = predict_photo(model, gray, upsample=way).rows(light, 0)[0, 0]
        left[way] = float((chroma[:, 124:128] - chroma[:, 60:64].mean()).abs().mean())
    assert left["guided"] < 0.3 * left["bilinear"]


def test_enlarging_keeps_each_sample() -> None:
    torch.manual_seed(0)
    ab, light = torch.randn(1, 2, 6, 9) * 20, torch.full((1, 1, 6, 9), 40.0)
    full = torch.full((1, 1, 30, 45), 40.0)
    even = upsampled(ab, light, (30, 45)).rows(full, 0)
    torch.testing.assert_close(even, F.interpolate(ab, size=(30, 45), mode="bilinear"))
    smaller = upsampled(ab, light, (2, 3)).rows(full[..., :2, :3], 0)
    torch.testing.assert_close(smaller, F.interpolate(ab, size=(2, 3), mode="bilinear", antialias=True))


def test_integers_are_scaled_by_their_type() -> None:
    gray = (picture(40, 50) * 255).round() / 255
    model = photo_colorizer().photo_model()
    bytes_ = colorize_photo(model, (gray * 255).round().astype(np.uint8))
    np.testing.assert_allclose(bytes_, colorize_photo(model, gray), atol=1e-4)
    deep = colorize_photo(model, (gray * 65535).round().astype(np.uint16))
    np.testing.assert_allclose(deep, bytes_, atol=1e-4)


def test_what_is_not_valid_does_not_matter() -> None:
    colorizer, gray = photo_colorizer(), picture(70, 60)
    valid = np.ones((70, 60), bool)
    valid[10:30, 5:50] = False
    seen = colorizer.colorize_array(ArrayScene(gray, valid))
    gray[:, ~valid] = np.nan
    again = colorizer.colorize_array(ArrayScene(gray, None))
    np.testing.assert_array_equal(seen, again)
    assert (np.isnan(seen).all(0) == ~valid).all()
    assert np.isnan(colorizer.colorize_array(ArrayScene(np.full((1, 9, 9), np.nan, np.float32)))).all()


def test_the_python_face_takes_arrays_and_batches() -> None:
    colorizer, gray = photo_colorizer(), picture(50, 41)
    rgb = colorizer.colorize(gray[0])
    assert rgb.shape == (50, 41, 3)
    batch = colorizer.colorize(torch.from_numpy(gray)[None])
    np.testing.assert_array_equal(batch[0].permute(1, 2, 0).numpy(), rgb)


def test_hints_are_asked_for_at_the_size_of_the_network() -> None:
    asked = []

    def all_red(size: tuple[int, int]) -> Guidance:
        asked.append(size)
        return Guidance(torch.tensor([50.0, 30.0]).view(1, 2, 1, 1).expand(1, 2, *size), torch.ones(1, 1, *size))

    chroma = predict_photo(photo_colorizer().photo_model(), picture(1, 300), guidance_for=all_red)
    assert asked == [(1, 256)]
    found = chroma.rows(torch.full((1, 1, 1, 300), 50.0), 0)
    torch.testing.assert_close(found[0, :, 0, 150], torch.tensor([50.0, 30.0]))


@pytest.mark.parametrize("size", [(100, 80), (40, 32), (20, 16)])
def test_hints_as_tensors_of_any_size(size: tuple[int, int]) -> None:
    hints = no_guidance(torch.zeros(1, 1, *size))
    hints.ab[..., size[0] // 2, size[1] // 2] = 40.0
    hints.mask[..., size[0] // 2, size[1] // 2] = 1.0
    gray = np.full((100, 80), 0.5, np.float32)
    chroma = lab(np.moveaxis(photo_colorizer().colorize(gray, hints), -1, 0))[0, 1]
    assert chroma[45:65, 35:55].max() > 8
    assert chroma[:20].abs().max() < 0.1


def test_hints_that_nobody_understands_are_refused() -> None:
    hints = no_guidance(torch.zeros(1, 1, 32, 32))
    hints.mask[..., 0, 0] = 1.0
    with pytest.raises(InputError, match=r"take no hints.*: vidar, zhang2017, athi, levin2004"):
        photo_colorizer(Plain()).colorize(picture(32, 32)[0], hints)
    needy = Warm()
    needy.needs_guidance = True
    with pytest.raises(InputError, match="from hints alone"):
        photo_colorizer(needy).colorize(picture(32, 32)[0])


def test_shrinking_leaves_out_what_is_not_valid() -> None:
    gray = np.zeros((1, 64, 64), np.uint8)
    gray[..., 32:] = 255
    small = shrink(gray, (8, 8), np.arange(64)[None].repeat(64, 0) >= 32)
    assert small[..., 4:].min() == 1
    assert small.min() == 1, "the rest continues what is known"


def test_guided_chroma_is_nearer_to_the_truth(shared_data: Path) -> None:
    errors: dict[str, list[float]] = {"guided": [], "bilinear": []}
    for path in sorted((shared_data / "rgb" / "mcmaster").rglob("*.tif"))[:4]:
        rgb = torch.from_numpy(to_unit(read_image(path).pixels)).permute(2, 0, 1)[None].contiguous()
        truth, gray = rgb_to_lab(rgb)[:, 1:], luma(rgb)
        ab, small = (F.interpolate(x, size=(128, 128), mode="bilinear", antialias=True) for x in (truth, gray))
        full = lightness(gray)
        for way, found in errors.items():
            made = upsampled(ab, lightness(small), tuple(full.shape[2:]), way=way).rows(full, 0)
            found.append(float((made - truth).square().mean().sqrt()))
    assert np.mean(errors["guided"]) < 0.95 * np.mean(errors["bilinear"])
