"""team-india: its sizes, how it grows, what spectral norm and attention do, and its losses."""

import pytest
import torch
import torch.nn.functional as F

from nirtrans.color.chroma import chroma
from nirtrans.config import Run
from nirtrans.errors import ConfigError, InputError
from nirtrans.models import System, build_system, count_parameters
from nirtrans.nn.growing import GrowingUNet
from nirtrans.nn.growth import Growth, blur_to, enlarge, level_weights
from nirtrans.nn.self_attention import SelfAttention
from nirtrans.nn.spectral import SpectralConv2d
from tests.models.tiny import tiny_batch, tiny_run


def test_the_full_networks_have_a_fixed_number_of_parameters() -> None:
    with torch.device("meta"):
        full = build_system(Run(model="team-india", domain="gray"))
    assert count_parameters(full.to_ab) == 30_370_060
    assert count_parameters(full.critic) == 14_679_875


def test_half_of_the_batches_are_for_fading_in() -> None:
    growth = Growth(levels=3, batches_per_level=4)
    assert [growth() for _ in range(12)] == [0, 0, 0.5, 1, 1, 1, 1.5, 2, 2, 2, 2, 2]
    resumed = Growth(levels=3, batches_per_level=4)
    resumed.batches.fill_(5)
    assert [resumed() for _ in range(3)] == [1, 1.5, 2]


@pytest.mark.parametrize("place", [0.0, 0.3, 1.0, 1.75, 2.0])
def test_weights_of_levels_sum_to_one(place: float) -> None:
    weights = level_weights(torch.tensor(place), 3)
    assert sum(weights) == pytest.approx(1)
    assert sum(level * weight for level, weight in enumerate(weights)) == pytest.approx(place)


def test_true_pictures_are_as_sharp_as_the_network() -> None:
    x = torch.rand(1, 2, 8, 8)
    halves = [enlarge(F.avg_pool2d(x, 2**shrink), shrink) for shrink in (2, 1, 0)]
    torch.testing.assert_close(blur_to(x, 2, 3), x)
    torch.testing.assert_close(blur_to(x, 0, 3), halves[0])
    torch.testing.assert_close(blur_to(x, 1.25, 3), 0.75 * halves[1] + 0.25 * halves[2])
    torch.testing.assert_close(F.avg_pool2d(enlarge(x, 2), 4), x)  # a critic sees a coarse picture as it was made


def network() -> GrowingUNet:
    torch.manual_seed(0)
    return GrowingUNet(1, 2, widths=[8, 4, 4], attention=[1]).eval()


def test_a_network_in_between_is_the_mixture_of_its_neighbours() -> None:
    unet, x = network(), torch.rand(1, 1, 16, 16)
    with torch.no_grad():
        coarse, middle, fine = (unet(x, place) for place in (0.0, 1.0, 2.0))
        torch.testing.assert_close(unet(x, 1.25), 0.75 * middle + 0.25 * fine)
        torch.testing.assert_close(unet(x), 0.75 * middle + 0.25 * fine)  # the place is kept
    torch.testing.assert_close(coarse, enlarge(F.avg_pool2d(coarse, 4), 2))
    assert not torch.allclose(fine, enlarge(F.avg_pool2d(fine, 2), 1))
    with pytest.raises(InputError, match="multiples of 4: 20x16"):
        unet(torch.zeros(1, 1, 18, 16))


def test_what_has_not_grown_yet_does_not_learn() -> None:
    unet = network().train()
    unet(torch.rand(2, 1, 16, 16), 0.0).square().sum().backward()
    late = [unet.entries[2], unet.decoder[0], unet.encoder[1], unet.exits[1]]
    assert all(value.grad.abs().max() == 0 for layer in late for value in layer.parameters())
    assert unet.exits[0].weight.grad.abs().max() > 0


def test_the_weights_file_knows_how_far_the_network_has_grown() -> None:
    system = build_system(tiny_run("team-india", levels=3, batches_per_level=4))
    for _ in range(3):
        system.forward_train(tiny_batch(1))
    assert system.to_ab.state_dict()["place"] == 0.5
    assert system.state_dict()["growth.batches"] == 3


def test_spectral_norm_is_one() -> None:
    layer, x = SpectralConv2d(3, 5, 3), torch.randn(1, 3, 8, 8)
    for _ in range(100):
        layer(x)
    weight = layer.weight / layer._largest()
    assert torch.linalg.svdvals(weight.flatten(1))[0].item() == pytest.approx(1, abs=1e-4)
    torch.testing.assert_close(layer(x), F.conv2d(x, weight, layer.bias, padding=1))
    before = layer.eval().left.clone()
    assert torch.equal(layer(x), layer(x))
    assert torch.equal(layer.left, before)  # use does not change it


def test_attention_starts_as_nothing_and_then_gathers_likeness(monkeypatch: pytest.MonkeyPatch) -> None:
    layer, x = SelfAttention(8).eval(), torch.randn(2, 8, 4, 6)
    torch.testing.assert_close(layer(x), x)
    layer.gamma.data.fill_(0.5)
    query, key, value = (part(x).flatten(2) for part in (layer.query, layer.key, layer.value))
    share = torch.einsum("nci,ncj->nij", query, key).softmax(2)
    expected = x + 0.5 * torch.einsum("nij,ncj->nci", share, value).view_as(x)
    torch.testing.assert_close(layer(x), expected)
    monkeypatch.setattr("nirtrans.nn.self_attention.AT_ONCE", 5)  # in parts, as large pictures are
    torch.testing.assert_close(layer(x), expected)


def system(**settings: object) -> System:
    return build_system(tiny_run("team-india", **settings))


def test_losses_are_hinge_and_l1() -> None:
    built, batch = system(adversarial=0.5, l1=2.0), tiny_batch(1)
    out = built.forward_train(batch)
    torch.testing.assert_close(out["real"], chroma(batch.target) / 110)  # grown at once: one batch per level
    built.critic.register_forward_hook(lambda *_: torch.full((2, 1, 4, 4), 0.25))
    out["fake"] = out["real"] + 0.1
    terms = {name: term.item() for phase in built.phases for name, term in built.losses(phase, batch, out).items()}
    assert terms == pytest.approx({"gan": -0.125, "l1": 0.2, "critic": 0.5 * (0.75 + 1.25)}, rel=1e-5)


def test_attention_at_a_level_that_is_not_there_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"attention names levels from 0 to 1, got \[3\]"):
        system(attention=[3])
