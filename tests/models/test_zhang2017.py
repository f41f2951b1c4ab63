"""zhang2017: its tables, its stages, what hints and palettes change, and each term by its formula."""

import pytest
import torch
import torch.nn.functional as F

from nirtrans.color.bins import AB529
from nirtrans.color.chroma import chroma
from nirtrans.color.guidance import Guidance, no_guidance
from nirtrans.color.palette import ab_histogram, mean_saturation
from nirtrans.color.ranges import scale_ab
from nirtrans.config_files import resolve_run
from nirtrans.models import build_system, count_parameters
from nirtrans.models.halo import probe
from nirtrans.models.published import PUBLISHED
from nirtrans.models.weights import inference_tensors
from nirtrans.models.zhang2017 import Zhang2017
from tests.models.tiny import SIDE_PX, tiny_batch, tiny_run


def system(**network: object) -> Zhang2017:
    built = build_system(tiny_run("zhang2017", **network))
    assert isinstance(built, Zhang2017)
    return built


def full(*overrides: str) -> Zhang2017:
    with torch.device("meta"):
        built = build_system(resolve_run("zhang2017", overrides=list(overrides)))
    assert isinstance(built, Zhang2017)
    return built


def hint(source: torch.Tensor, a: float, b: float) -> Guidance:
    """One patch in the middle of every picture."""
    mask = torch.zeros_like(source)
    mask[..., 12:18, 12:18] = 1
    return Guidance(torch.tensor([a, b]).view(1, 2, 1, 1) * mask, mask)


def test_the_networks_have_the_published_sizes() -> None:
    network = full().to_ab
    assert count_parameters(network) == 34_187_027
    assert count_parameters(network) - count_parameters(network.model_class) == 34_051_074
    assert count_parameters(full("network.palette=true").to_ab) - 34_187_027 == 954_880


def test_published_tensors_fit_by_name_and_shape() -> None:
    rename, settings = PUBLISHED["zhang2017"]
    expected = inference_tensors(full(*(f"network.{key}={value}" for key, value in settings.items())))
    shapes = {
        "model1.0.weight": (64, 4, 3, 3),
        "model1.4.running_var": (64,),
        "model4.6.bias": (512,),
        "model7.4.weight": (512, 512, 3, 3),
        "model8up.0.weight": (512, 256, 4, 4),
        "model8.1.weight": (256, 256, 3, 3),
        "model8.5.weight": (256,),
        "model3short8.0.weight": (256, 256, 3, 3),
        "model9.3.weight": (128,),
        "model2short9.0.bias": (128,),
        "model10up.0.weight": (128, 128, 4, 4),
        "model1short10.0.weight": (128, 64, 3, 3),
        "model10.1.weight": (128, 128, 3, 3),
        "model_class.0.weight": (529, 256, 1, 1),
        "model_out.0.weight": (2, 128, 1, 1),
    }
    renamed = rename({name: torch.empty(shape, device="meta") for name, shape in shapes.items()})
    assert len(renamed) == len(shapes)
    assert {name: tensor.shape for name, tensor in renamed.items()} == {name: expected[name].shape for name in renamed}


def test_the_mask_of_the_published_weights_is_not_centred() -> None:
    _, settings = PUBLISHED["zhang2017"]
    assert settings["mask_centre"] == 0
    built = system(mask_centre=0.0).eval()
    with torch.no_grad():
        joined = built.to_ab.input(torch.zeros(1, 1, 8, 8), torch.zeros(1, 3, 8, 8))
    assert joined.abs().sum() == 0


def test_it_accepts_tiles_and_sees_far() -> None:
    reach = probe(full("network.width=4"))
    assert (reach.stride_px, reach.bounded) == (8, True)
    assert reach.radius_px > 100


@pytest.mark.parametrize("norm", ["batch", "instance"])
def test_hints_and_palettes_change_the_colours(norm: str) -> None:
    built = system(palette=True, norm=norm).eval()
    torch.nn.init.normal_(built.to_ab.model_out[0].weight)
    source = torch.rand(2, 1, SIDE_PX, SIDE_PX)
    rgb = torch.rand(2, 3, SIDE_PX, SIDE_PX)
    with torch.no_grad():
        automatic, nothing = built.predict(source), built.predict(source, no_guidance(source))
        hinted = built.predict(source, hint(source, 60, 30))
        empty = no_guidance(source)
        histogram = ab_histogram(chroma(rgb))
        coloured = built.predict(source, Guidance(empty.ab, empty.mask, histogram))
        saturated = built.predict(source, Guidance(empty.ab, empty.mask, histogram, mean_saturation(rgb)))
    assert torch.equal(automatic, nothing)
    pictures = [automatic, hinted, coloured, saturated]
    for place, one in enumerate(pictures):
        assert all(not torch.allclose(one, other, atol=1e-4) for other in pictures[place + 1 :])


def test_it_says_what_it_understands() -> None:
    assert system().guidance == {"points"}
    assert system(palette=True).guidance == {"points", "histogram"}
    assert Zhang2017.guidance == {"points", "histogram"}


def test_the_first_stage_sees_no_hints_and_spares_the_trunk() -> None:
    built = system(classes=0.0)
    batch = tiny_batch(1)
    out = built.forward_train(batch)
    built.losses("classification", batch, out)["l1"].backward()
    assert all(value.grad is None for value in built.to_ab.trunk.parameters())
    assert built.to_ab.model9up[0].weight.grad.abs().sum() > 0
    built.zero_grad()
    built.losses("regression", batch, out)["l1"].backward()
    assert all(value.grad is not None for value in built.to_ab.trunk.parameters())


def test_terms_are_those_of_the_paper() -> None:
    built = system().eval()
    batch = tiny_batch(1, masked=True)
    out = built.forward_train(batch)
    ab = chroma(batch.target)
    with torch.no_grad():
        predicted, logits = built.to_ab(out["light"], torch.zeros(2, 3, SIDE_PX, SIDE_PX))
        terms = built.losses("classification", batch, out)
    left = (..., slice(None), slice(0, SIDE_PX // 2))  # the valid half
    expected = 10 * (predicted - scale_ab(ab))[left].abs().mean()
    torch.testing.assert_close(terms["l1"], expected)
    index = AB529.nearest(ab[..., ::4, ::4])
    grid = ((ab[..., ::4, ::4] + 110) / 10).round().long()
    assert torch.equal(index, grid[:, 0] * 23 + grid[:, 1]), "the published rule"
    classes = F.cross_entropy(logits, index, reduction="none")[..., : SIDE_PX // 8].mean()
    torch.testing.assert_close(terms["classes"], classes)


def test_huber_is_l1_less_half_its_width_far_off() -> None:
    batch = tiny_batch(1)
    values = []
    for huber in (0.0, 1e-3):
        built = system(huber=huber).eval()
        with torch.no_grad():
            values.append(built.losses("classification", batch, built.forward_train(batch))["l1"].item())
    assert values[0] - values[1] == pytest.approx(10 * 1e-3 / 2 / 110, rel=0.1)


def test_palettes_are_shown_half_of_the_time() -> None:
    built = system(palette=True)
    shown = torch.cat([built.forward_train(tiny_batch(1, count=40))["shown"] for _ in range(10)], 1)
    assert shown.mean().item() == pytest.approx(0.5, abs=0.1)
    known = Guidance(torch.zeros(2, 2, 8, 8), torch.zeros(2, 1, 8, 8), torch.ones(2, 313), torch.ones(2, 1))
    vector = built._global(known, torch.tensor([[[1.0], [0.0]], [[0.0], [1.0]]]))
    assert vector.sum(1).tolist() == [314, 2]


def test_its_config_has_both_stages() -> None:
    run = resolve_run("zhang2017")
    assert [stage.lr for stage in run.train.stages] == [1e-4, 1e-5]
    assert Zhang2017.stages == (("classification",), ("regression",))
