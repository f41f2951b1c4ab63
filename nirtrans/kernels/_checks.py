"""What the kernels accept, checked in Python: a check in C++ would arrive as a bare RuntimeError (stable ABI)."""

import torch
from torch import Tensor
from torch.autograd.forward_ad import unpack_dual

from nirtrans.kernels import _library

IMAGE_ADVICE = "for 8-bit and 16-bit images use image_to_lab"
FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


def check_float(tensor: Tensor, operator: str, argument: str, advice: str) -> None:
    """Raise unless `tensor` is a floating-point tensor; `advice` says what to do with any other dtype.

    Raises:
        TypeError: If it is no dense tensor or not floating point.
        RuntimeError: If it carries a tangent of forward-mode differentiation, which torch would drop.
    """
    check_dense(tensor, operator, argument)
    if tensor.dtype not in FLOATS:
        raise TypeError(f"{operator}: expected float16, bfloat16, float32 or float64, got {tensor.dtype}; {advice}")
    traced = torch.compiler.is_compiling()
    if not traced and _library.compiled_for(tensor.device) and unpack_dual(tensor).tangent is not None:
        raise RuntimeError(
            f"{operator}: the compiled kernel has no forward-mode derivative; set NIRTRANS_NO_COMPILED=1 to use torch"
        )


def check_dense(tensor: Tensor, operator: str, argument: str) -> None:
    """Raise unless `tensor` is a tensor with strides.

    Raises:
        TypeError: If it is anything else, such as sparse.
    """
    if not isinstance(tensor, Tensor):
        raise TypeError(f"{operator}: expected a torch.Tensor as {argument}, got {type(tensor).__name__}")
    if tensor.layout != torch.strided:
        raise TypeError(f"{operator}: expected a dense tensor as {argument}, got {tensor.layout}; use .to_dense()")


def check_one_device(operator: str, **tensors: Tensor | None) -> None:
    """Raise unless all tensors given, by argument name, lie on one device.

    Raises:
        ValueError: If two differ; the message names both.
    """
    placed = [(name, tensor.device) for name, tensor in tensors.items() if tensor is not None]
    for name, device in placed[1:]:
        if device != placed[0][1]:
            raise ValueError(
                f"{operator}: expected all tensors on one device, got {placed[0][0]} on {placed[0][1]} and {name} on "
                f"{device}; move one with .to()"
            )


def check_colour_image(image: Tensor, operator: str, argument: str) -> None:
    """Raise unless `image` is a floating-point tensor (..., 3, H, W).

    Raises:
        TypeError: If it is no tensor or not floating point.
        ValueError: If it has fewer than three dimensions or not three channels.
    """
    check_float(image, operator, argument, IMAGE_ADVICE)
    if image.dim() < 3 or image.shape[-3] != 3:
        raise ValueError(
            f"{operator}: expected {argument} of shape (..., 3, H, W), got {tuple(image.shape)}; "
            "move the channels before height and width, without alpha"
        )


def check_planes(image: Tensor, operator: str, argument: str, *, channels: int | None = None) -> None:
    """Raise unless `image` has four dimensions and, if given, this number of channels.

    Raises:
        ValueError: If it is not (N, C, H, W); the message for five dimensions says how to make four.
    """
    if image.dim() == 4 and (channels is None or image.shape[1] == channels):
        return
    advice = {
        2: "add a batch and a channel dimension with [None, None]",
        3: "add a batch dimension with [None]",
        5: "merge the depth into the batch",
    }.get(image.dim(), "put the channels before height and width")
    raise ValueError(
        f"{operator}: expected {argument} of shape (N, {channels or 'C'}, H, W), got {tuple(image.shape)}; {advice}"
    )
