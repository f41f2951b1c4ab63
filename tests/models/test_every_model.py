"""What every registered model must do; a new model is tested by being registered."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from nirtrans.domains import DOMAINS
from nirtrans.models import MODELS, System, build_system
from nirtrans.models.halo import probe
from nirtrans.models.weights import ModelInfo, inference_tensors, load_system, save_weights
from nirtrans.nn.noise import Place, placed
from nirtrans.nn.norms import freeze_statistics
from tests.models.tiny import SIDE_PX, WHOLE, norm_of, tiny_batch, tiny_run

MODEL_DOMAINS = [(name, domain) for name in MODELS.names() for domain in sorted(MODELS.find(name).domains)]
MODEL_BATCHES = [
    (name, kind) for name in MODELS.names() for kind in sorted({k == "paired" for k in MODELS.find(name).pairings})
]
every_model = pytest.mark.parametrize("name", MODELS.names())


def phase_gradients(system: System, batch: object) -> Iterator[tuple[str, dict[str, torch.Tensor]]]:
    """Run one step as the trainer does, without moving weights: per phase the loss terms, gradients left in place.

    The random numbers of a step, if it draws any, are the same each time.
    """
    torch.manual_seed(0)
    out = system.forward_train(batch)
    for phase, networks in system.phases.items():
        torch.manual_seed(0)
        for network in system.network_names():
            getattr(system, network).requires_grad_(network in networks)
        terms = system.losses(phase, batch, out)
        torch.stack(list(terms.values())).sum().backward(retain_graph=True)
        yield phase, terms
        system.zero_grad()
    system.requires_grad_(True)


@every_model
def test_it_says_what_it_is(name: str) -> None:
    model = MODELS.find(name)
    assert model.__doc__
    assert model.paper
    assert model.domains <= DOMAINS.keys()
    assert set(model.inference) <= {network for names in model.phases.values() for network in names}


@pytest.mark.parametrize(("name", "domain"), MODEL_DOMAINS)
def test_it_colorizes_every_domain_it_accepts(name: str, domain: str) -> None:
    system = build_system(tiny_run(name, domain=domain)).eval()
    source = torch.rand(2, DOMAINS[domain].in_channels, 32, 64)
    with torch.no_grad():
        rgb = system.colorize(source)
    assert rgb.shape == (2, 3, 32, 64)
    assert 0 <= rgb.min() <= rgb.max() <= 1
    with torch.no_grad():
        assert torch.equal(rgb, system.colorize(source)), "inference is deterministic"


@every_model
def test_the_seed_decides_the_weights(name: str) -> None:
    systems = [build_system(tiny_run(name, train={"seed": seed})).state_dict() for seed in (1, 1, 2)]
    same = [all(torch.equal(systems[0][key], other[key]) for key in other) for other in systems[1:]]
    assert same == [True, False]


@pytest.mark.parametrize(("name", "paired"), MODEL_BATCHES)
@pytest.mark.parametrize("masked", [True, False])
def test_every_phase_reaches_all_parameters_of_its_networks(name: str, paired: bool, masked: bool) -> None:
    system = build_system(tiny_run(name))
    for phase, terms in phase_gradients(system, tiny_batch(system.in_channels, paired=paired, masked=masked)):
        assert all(term.ndim == 0 and term.isfinite() for term in terms.values()), terms
        reached = {key.split(".")[0] for key, value in system.named_parameters() if value.grad is not None}
        assert reached == set(system.phases[phase])
        unused = [key for key, value in system.named_parameters() if value.requires_grad and value.grad is None]
        assert not unused, "distributed training needs every parameter in every step"


@every_model
def test_pixels_without_data_do_not_change_the_losses(name: str) -> None:
    system, twin = (build_system(tiny_run(name, train={"pool": 0})) for _ in range(2))
    batch = tiny_batch(system.in_channels, masked=True)
    clean = [terms for _, terms in phase_gradients(system, batch)]
    for picture in (batch.source, batch.target):
        picture[..., picture.shape[-1] // 2 :] = torch.nan  # the right half is not valid
    for before, (_, after) in zip(clean, phase_gradients(twin, batch), strict=True):
        torch.testing.assert_close(after, before)


@every_model
def test_the_whole_state_makes_a_round_trip(name: str) -> None:
    system, twin = (build_system(tiny_run(name, train={"seed": seed})) for seed in (0, 1))
    batch = tiny_batch(system.in_channels)
    for _ in phase_gradients(system, batch):
        pass
    twin.load_state_dict(system.state_dict())
    for (_, terms), (_, same) in zip(phase_gradients(system, batch), phase_gradients(twin, batch), strict=True):
        assert {key: value.item() for key, value in terms.items()} == {key: value.item() for key, value in same.items()}


@every_model
def test_the_weights_file_is_enough_to_colorize(name: str, tmp_path: Path) -> None:
    run = tiny_run(name)
    system = build_system(run).eval()
    info = ModelInfo(model=name, run=run, halo_px=8, stride_px=4)
    save_weights(tmp_path / "w.safetensors", inference_tensors(system), info)
    loaded, read = load_system(tmp_path / "w.safetensors")
    source = torch.rand(1, system.in_channels, 32, 32)
    assert read == info
    assert torch.equal(loaded.colorize(source), system.colorize(source).detach())
    assert not any(parameter.requires_grad or parameter.is_meta for parameter in loaded.parameters())


def tile_of(system: System, source: torch.Tensor, rows: slice, columns: slice = slice(None)) -> torch.Tensor:
    """Colorize a part of a picture; noise knows where its pixels come from."""
    sizes = zip(source.shape[2:], (rows, columns), strict=True)
    place = Place(*(torch.arange(size)[part][None] for size, part in sizes))
    with placed(place):
        return system.colorize(source[..., rows, columns]).detach()


@every_model
@pytest.mark.parametrize("norm", ["instance", "group", "batch", "none"])
def test_a_tile_with_the_probed_halo_equals_the_whole(name: str, norm: str) -> None:
    if norm != "none" and not norm_of(name, norm):
        pytest.skip(f"{name} has no choice of norm")
    system = build_system(tiny_run(name, **norm_of(name, norm))).eval().double()
    reach = probe(system)
    assert reach.bounded == (name not in WHOLE)
    if not reach.bounded:
        return
    stride = reach.stride_px
    halo, side = reach.halo_px, -(-(2 * reach.halo_px + 3 * stride) // stride) * stride
    source = torch.rand(1, system.in_channels, side + 2 * stride, halo + 2 * stride, dtype=torch.float64)
    freeze_statistics(system, source, forward=system.colorize)
    whole = system.colorize(source).detach()
    first = halo + stride  # one tile inside, one at the upper left corner of the picture
    inside = tile_of(system, source, slice(first - halo, first + stride + halo))
    corner = tile_of(system, source, slice(stride + halo), slice(stride + halo))
    torch.testing.assert_close(
        inside[..., halo : halo + stride, :], whole[..., first : first + stride, :], rtol=0, atol=1e-12
    )
    torch.testing.assert_close(corner[..., :stride, :stride], whole[..., :stride, :stride], rtol=0, atol=1e-12)


@every_model
def test_a_halo_one_stride_short_is_not_enough(name: str) -> None:
    system = build_system(tiny_run(name, **norm_of(name, "none"))).eval().double()
    reach = probe(system)
    if not reach.bounded or not reach.radius_px:
        pytest.skip(f"{name} sees the whole picture, or cells of its stride alone")
    stride, short = reach.stride_px, max(reach.halo_px - 2 * reach.stride_px, reach.stride_px)
    assert short < reach.radius_px
    side = -(-(2 * reach.halo_px + 3 * stride) // stride) * stride
    source = torch.rand(1, system.in_channels, side, max(4 * stride, SIDE_PX), dtype=torch.float64)
    for parameter in system.parameters():  # neither fading nor saturating: the rim of the receptive field is felt
        if parameter.dim() > 1:
            torch.nn.init.kaiming_normal_(parameter)
    first = reach.halo_px
    whole = system.colorize(source)[..., first : first + stride, :]
    tile = tile_of(system, source, slice(first - short, first + stride + short))[..., short : short + stride, :]
    assert (whole - tile).abs().max() > 1e-12
