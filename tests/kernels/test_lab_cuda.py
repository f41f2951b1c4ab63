"""The Lab kernels on a real device; under NIRTRANS_REQUIRE_CUDA=1 a missing device is a failure, not a skip."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.library import opcheck

from nirtrans.kernels import build_info, lab_to_rgb, reference, rgb_to_lab
from tests.kernels.conftest import LAB_TOLERANCE, RGB_TOLERANCE

pytestmark = pytest.mark.cuda


def test_cuda_kernels_are_built() -> None:
    assert build_info()["cuda"], build_info()["reason"] or "built without CUDA; set NIRTRANS_CUDA=1"


@pytest.mark.parametrize("dtype", list(LAB_TOLERANCE))
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_agrees_with_the_reference(dtype: torch.dtype, memory_format: torch.memory_format) -> None:
    rgb = (torch.rand(3, 3, 67, 129, device="cuda") * 1.4 - 0.2).to(dtype).contiguous(memory_format=memory_format)
    lab = rgb_to_lab(rgb)
    assert lab.is_contiguous(memory_format=memory_format)
    torch.testing.assert_close(lab.double(), reference.rgb_to_lab(rgb.double()), atol=LAB_TOLERANCE[dtype], rtol=0)
    exact = reference.lab_to_rgb(lab.double())
    torch.testing.assert_close(lab_to_rgb(lab).double(), exact, atol=RGB_TOLERANCE[dtype], rtol=0)


def test_cube_meets_the_accuracy_gate(cube: Tensor) -> None:
    lab = rgb_to_lab(cube.cuda())
    assert (lab.cpu() - reference.rgb_to_lab(cube.double())).abs().max() <= 2e-4
    assert (lab_to_rgb(lab) - reference.lab_to_rgb(lab.double())).abs().max() <= 0.003 / 255


@pytest.mark.parametrize("convert", [rgb_to_lab, lab_to_rgb])
def test_gradients_agree_with_the_cpu(convert: Callable[[Tensor], Tensor]) -> None:
    # Lab of colours well inside the cube: at a clip bound the two devices may fall on different sides.
    image = torch.rand(2, 3, 31, 45) * 0.8 + 0.1
    image = rgb_to_lab(image) if convert is lab_to_rgb else image
    upstream = torch.randn(image.shape)
    on_cpu = image.clone().requires_grad_()
    on_cuda = image.cuda().requires_grad_()
    expected = torch.autograd.grad(convert(on_cpu), on_cpu, upstream)[0]
    result = torch.autograd.grad(convert(on_cuda), on_cuda, upstream.cuda())[0]
    torch.testing.assert_close(result.cpu(), expected, rtol=1e-4, atol=1e-4 * expected.abs().max().item())


def test_opcheck() -> None:
    image = torch.rand(2, 3, 5, 7, device="cuda")
    opcheck(torch.ops.nirtrans.rgb_to_lab.default, (image.clone().requires_grad_(),))
    opcheck(torch.ops.nirtrans.lab_to_rgb.default, (image.clone().requires_grad_(), True))


def test_runs_on_the_current_stream() -> None:
    image = torch.rand(8, 3, 512, 512, device="cuda")
    expected = rgb_to_lab(image)
    stream = torch.cuda.Stream()
    copy = torch.empty_like(image)
    torch.cuda.synchronize()
    with torch.cuda.stream(stream):
        # The copy waits behind this delay: a kernel on another stream would read before it.
        torch.cuda._sleep(50_000_000)
        copy.copy_(image)
        result = rgb_to_lab(copy)
    stream.synchronize()
    assert torch.equal(result, expected)


def test_runs_on_the_tensors_device() -> None:
    if torch.cuda.device_count() < 2:
        pytest.skip("one device only")
    image = torch.rand(2, 3, 33, 65)
    assert torch.cuda.current_device() == 0
    result = rgb_to_lab(image.to("cuda:1"))
    assert result.device == torch.device("cuda:1")
    assert torch.equal(result.cpu(), rgb_to_lab(image.to("cuda:0")).cpu())


def test_many_tiny_images_exceed_the_grid() -> None:
    image = torch.rand(70_000, 3, 1, 2, device="cuda")
    assert torch.equal(rgb_to_lab(image)[-1], rgb_to_lab(image[-1:].clone())[0])


@pytest.mark.slow
def test_more_than_2_to_the_31_elements() -> None:
    image = torch.rand(1, 3, 32768, 22000, dtype=torch.float16, device="cuda")
    assert image.numel() > 2**31
    lab = rgb_to_lab(image)
    assert torch.equal(lab[..., -1:, :], rgb_to_lab(image[..., -1:, :].contiguous()))
