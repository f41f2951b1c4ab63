"""S-shape: sizes of its tables, value of each term by hand, and what each variant leaves out."""

import pytest
import torch

from nirtrans.config_files import resolve_run
from nirtrans.errors import InputError
from nirtrans.losses.edges import laplacian_edges
from nirtrans.models import System, build_system, count_parameters
from nirtrans.models.halo import probe
from nirtrans.models.weights import inference_tensors
from nirtrans.nn.norms import freeze_statistics
from nirtrans.nn.sshape import ColorNet
from tests.models.tiny import tiny_batch, tiny_run


def system(**network: object) -> System:
    return build_system(tiny_run("sshape", **network))


def full(name: str, *settings: str) -> System:
    with torch.device("meta"):
        return build_system(resolve_run(name, overrides=[f"network.{setting}" for setting in settings]))


@pytest.mark.parametrize(("edge", "count"), [("released", 2_499), ("figure", 76_611), ("early", 1_516_995)])
def test_full_networks_have_the_parameters_of_their_tables(edge: str, count: int) -> None:
    built = full("sshape", f"edge={edge}")
    assert count_parameters(built.to_rgb) == 13_394_307
    assert count_parameters(built.to_edges) == count


@pytest.mark.parametrize(("norm", "count"), [("batch", 210_371), ("none", 209_859)])
def test_the_cascade_adds_a_small_network(norm: str, count: int) -> None:
    built = full("sshape-cascade", f"norm={norm}")
    assert count_parameters(built.to_rgb) - count_parameters(built.to_rgb.color) == count


def test_a_pixel_sees_220_px() -> None:
    network = ColorNet(1, 3, width=1, halvings=4, norm="none").double()
    for weight in network.parameters():
        weight.data.fill_(1 / weight[0].numel() if weight.dim() > 1 else 0.0)
    network.halve = torch.nn.AvgPool2d(2)  # the largest of four has a gradient at one place only
    source = torch.ones(1, 1, 32, 320, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(network(source)[..., 160].sum(), source)
    seen = gradient.sum((0, 1, 2)).nonzero()
    assert seen.max() - seen.min() + 1 == 220


@pytest.mark.parametrize(("name", "radius", "halo"), [("sshape", 110, 112), ("sshape-cascade", 126, 128)])
def test_radii_of_the_full_networks(name: str, radius: int, halo: int) -> None:
    reach = probe(full(name))
    assert (reach.radius_px, reach.halo_px, reach.stride_px, reach.bounded) == (radius, halo, 16, True)


def terms(built: System, out: dict[str, object], **batch: bool) -> dict[str, float]:
    return {name: term.item() for name, term in built.losses("generator", tiny_batch(1, **batch), out).items()}


def constant(value: float, channels: int = 3) -> torch.Tensor:
    return torch.full((2, channels, 32, 32), value)


def test_every_term_by_hand() -> None:
    out = {"source": constant(0.5, 1), "rgb": constant(0.2), "colours": [constant(0.5)], "edges": constant(-0.4, 1)}
    assert terms(system(edges=1.0), out) == pytest.approx({"colour": 0.09, "edges": 0.16})
    assert terms(system(colour=2.0, edges=0.5), out) == pytest.approx({"colour": 0.18, "edges": 0.08})
    rough = {"source": constant(0.5, 1), "rgb": constant(0.2), "colours": [constant(0.5), constant(0.3)]}
    assert terms(system(cascade=True, edge="none"), rough) == pytest.approx({"colour": 0.01, "rough": 0.09})


def test_further_terms_are_those_of_fidelity() -> None:
    out = {"source": constant(0.5, 1), "rgb": constant(0.2), "colours": [constant(1.5)]}
    found = terms(system(edge="none", fidelity={"l1": 2.0}), out)
    assert found.pop("colour") == pytest.approx(1.69)
    assert list(found.values()) == pytest.approx([2 * 1.6])  # 1.5 is clamped to 1; in [-1, 1] it is 1.6 from 0.2


def test_edges_are_drawn_from_what_the_final_colours_miss() -> None:
    built, sample = system(cascade=True, edges=1.0), tiny_batch(1)
    out = built.forward_train(sample)
    built.eval()
    again = built.to_edges(out["colours"][-1] - sample.target)
    built.train()
    assert out["edges"].shape == again.shape == (2, 1, 32, 32)
    torch.testing.assert_close(built.to_edges(out["colours"][-1] - sample.target), out["edges"])
    edges, _ = laplacian_edges(sample.target)
    found = built.losses("generator", sample, out)
    torch.testing.assert_close(found["edges"], (out["edges"] - edges).square().mean())
    (gradient,) = torch.autograd.grad(found["edges"], out["colours"][-1])
    assert gradient.abs().sum() > 0, "the colours learn from the edges"


@pytest.mark.parametrize("settings", [{"edge": "none"}, {"edge": "figure"}, {"edge": "early"}, {"cascade": True}])
def test_every_variant_uses_all_of_its_parameters(settings: dict[str, object]) -> None:
    built, sample = system(**settings), tiny_batch(1, masked=True)
    sum(built.losses("generator", sample, built.forward_train(sample)).values()).backward()
    assert all(parameter.grad is not None for parameter in built.parameters())
    assert set(built.network_names()) == {name for name, _ in built.named_children()}


def test_weights_hold_what_colours_alone() -> None:
    assert all(name.startswith("to_rgb.color.") for name in inference_tensors(system()))
    assert any(name.startswith("to_rgb.refine.") for name in inference_tensors(system(cascade=True)))


def test_the_refinement_is_added_and_the_result_clamped() -> None:
    built, source = system(cascade=True).eval(), torch.rand(1, 1, 32, 32)
    with torch.no_grad():
        first, last = built.to_rgb(source)
        torch.testing.assert_close(last, first + built.to_rgb.refine(first))
        built.to_rgb.color.head[0].bias.fill_(-9)
        assert built.to_rgb(source)[0].max() < 0
        built.to_rgb.refine.body[-1].bias.fill_(-9)
        assert built.colorize(source).count_nonzero() == 0


@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_tiles_of_the_cascade_equal_the_whole(norm: str) -> None:
    built = system(cascade=True, edge="none", norm=norm).eval().double()
    reach = probe(built)
    halo, stride = reach.halo_px, reach.stride_px
    source = torch.rand(1, 1, 2 * halo + 4 * stride, 2 * halo, dtype=torch.float64)
    freeze_statistics(built, source, forward=built.colorize)
    with torch.no_grad():
        whole = built.colorize(source)[..., halo + stride : halo + 2 * stride, :]
        tile = built.colorize(source[..., stride : 2 * halo + 2 * stride, :])[..., halo:-halo, :]
    torch.testing.assert_close(tile, whole, rtol=0, atol=1e-12)


def test_a_crop_that_does_not_fit_names_one_that_does() -> None:
    with pytest.raises(InputError, match=r"size 20x36 does not fit ColorNet \(4 halvings\).*: 32x48"):
        system(halvings=4).colorize(torch.rand(1, 1, 20, 36))
    wide = torch.rand(1, 3, 36, 36)
    with pytest.raises(InputError, match=r"size 36x36 does not fit EdgeNet \(3 halvings\).*: 40x40"):
        system(edge="early").to_edges(wide)


def test_the_defaults_weigh_colours_and_edges_one_to_one() -> None:
    params = full("sshape").params
    assert (params.colour, params.edges) == (1.0, 1.0)
    assert not any(params.fidelity.model_dump(exclude={"blur_px", "shift_px", "shift_block_px"}).values())
