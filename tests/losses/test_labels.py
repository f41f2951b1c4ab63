"""Classes of pictures: what counts, and that the division of a batch does not."""

import pytest
import torch
import torch.nn.functional as F

from nirtrans.losses.labels import label_loss


def test_it_is_the_cross_entropy_of_labelled_pictures() -> None:
    logits = torch.randn(3, 5)
    expected = F.cross_entropy(logits[:2], torch.tensor([4, 0]), reduction="sum") / 3
    torch.testing.assert_close(label_loss(logits, torch.tensor([4, 0, -1])), expected)


@pytest.mark.parametrize("label", [None, torch.tensor([-1, -1])])
def test_without_labels_it_is_zero_and_so_is_its_gradient(label: torch.Tensor | None) -> None:
    logits = torch.randn(2, 3, requires_grad=True)
    loss = label_loss(logits, label)
    loss.backward()
    assert loss.item() == 0
    assert logits.grad is not None
    assert not logits.grad.any()


def test_parts_of_a_batch_average_to_the_whole() -> None:
    logits, label = torch.randn(4, 3), torch.tensor([0, -1, 2, 1])
    halves = [label_loss(logits[part], label[part]) for part in (slice(0, 2), slice(2, 4))]
    torch.testing.assert_close(torch.stack(halves).mean(), label_loss(logits, label))


def test_it_is_computed_in_float32() -> None:
    assert label_loss(torch.zeros(1, 2, dtype=torch.bfloat16), torch.tensor([1])).dtype == torch.float32
