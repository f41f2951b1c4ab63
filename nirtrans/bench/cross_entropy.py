"""The weighted cross-entropy against softly encoded colours, beside the ways it is written without a kernel."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from nirtrans.bench.case import Case, Setting, farthest_of_loss, losses, value_and_gradient, with_compiled
from nirtrans.bench.encoding import encode_by_distances
from nirtrans.bench.timing import Contestant
from nirtrans.kernels import ab_bins, reference, soft_cross_entropy

Loss = Callable[[Tensor, Tensor, Tensor], Tensor]


def cross_entropy(logits: Tensor, ab: Tensor, class_weight: Tensor, setting: Setting) -> Case:
    """Make the case of `soft_cross_entropy`, forward and backward, encoding included."""
    value, gradient = _exact(logits, ab, class_weight)
    inputs = (logits, ab, class_weight)
    return Case(
        operation="soft_cross_entropy with class weights, forward and backward",
        shape=tuple(logits.shape),
        dtype=str(logits.dtype).removeprefix("torch."),
        contestants=[*losses(_functions(setting), *inputs), _hard_labels(*inputs)],
        deviation=lambda result: farthest_of_loss(result, value, gradient),
        gate=1e-6 if logits.dtype == torch.float32 else 2**-8,
        unit="relative",
        moved_bytes=2 * logits.nbytes + ab.nbytes,
        device=setting.device,
    )


def _functions(setting: Setting) -> dict[str, Loss]:
    peers = with_compiled({"dense target": dense_target_loss}, setting.compiled)
    return {"nirtrans": _ours} | peers | {"gathered": _gathered}


def _ours(logits: Tensor, ab: Tensor, class_weight: Tensor) -> Tensor:
    return soft_cross_entropy(logits, ab, class_weight=class_weight)


def dense_target_loss(logits: Tensor, ab: Tensor, class_weight: Tensor) -> Tensor:
    """Write the target out over all bins, then torch's own cross-entropy against probabilities."""
    index, weight = encode_by_distances(ab, ab_bins().to(ab.device))
    target = torch.zeros_like(logits).scatter_(1, index, weight.to(logits.dtype))
    return (F.cross_entropy(logits, target, reduction="none") * class_weight[index[:, 0]]).mean()


def _gathered(logits: Tensor, ab: Tensor, class_weight: Tensor) -> Tensor:
    """Pick the few log-probabilities that count."""
    index, weight = encode_by_distances(ab, ab_bins().to(ab.device))
    chosen = F.log_softmax(logits, dim=1).gather(1, index)
    return -((chosen * weight).sum(dim=1) * class_weight[index[:, 0]]).mean()


def _hard_labels(logits: Tensor, ab: Tensor, class_weight: Tensor) -> Contestant:
    """Only a yardstick: one given bin per pixel, so neither encoding nor the same loss."""
    labels = encode_by_distances(ab, ab_bins().to(ab.device))[0][:, 0].contiguous()
    weight = class_weight.to(logits.dtype)
    hard = {"hard labels given (another loss)": lambda z: F.cross_entropy(z, labels, weight=weight)}
    (contestant,) = losses(hard, logits)
    return Contestant(contestant.name, contestant.run, compare=None)


def _exact(logits: Tensor, ab: Tensor, class_weight: Tensor) -> tuple[Tensor, Tensor]:
    """Return loss and gradient of the float64 reference, one image at a time to save memory."""

    def mean(image: Tensor, colours: Tensor) -> Tensor:
        weight = class_weight.double()
        total = reference.soft_cross_entropy(image, colours, bins=ab_bins(), class_weight=weight, reduction="sum")
        return total / ab[:, 0].numel()

    pairs = [
        value_and_gradient(mean, image.double().requires_grad_(), colours.double())
        for image, colours in zip(logits.split(1), ab.split(1), strict=True)
    ]
    value = torch.stack([value for value, _ in pairs]).sum()
    return value, torch.cat([gradient.float() for _, gradient in pairs])
