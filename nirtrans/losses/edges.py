"""Edges as a target to learn."""

import torch.nn.functional as F
from torch import Tensor

from nirtrans.losses.masked import blank


def laplacian_edges(image: Tensor, valid: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
    """Return the bright sides of edges in red: the Laplacian of all eight neighbours, negative values cut off.

    Red alone is looked at and the picture is continued by reflection. A pixel counts if all its neighbours do: nothing
    of what stands in invalid pixels gets into the map.

    Args:
        image: [N, 3, H, W], RGB in [0, 1], at least 2 px.
        valid: [N, 1, H, W], bool; None means everywhere.

    Returns:
        edges: [N, 1, H, W] in [0, 1], 0 where it does not count.
        known: Where it counts, [N, 1, H, W], bool; None means everywhere.

    Source: edge target in the released code of Dong et al. 2018.

    Example:
        >>> import torch
        >>> laplacian_edges(torch.ones(1, 3, 4, 4))[0].max().item()
        0.0
    """
    red = blank(image[:, :1].float(), valid)
    around = F.avg_pool2d(F.pad(red, (1, 1, 1, 1), mode="reflect"), 3, stride=1)
    edges = (9 * (red - around)).clamp(0, 1)
    if valid is None:
        return edges, None
    known = F.max_pool2d((~valid).float(), 3, stride=1, padding=1) == 0
    return blank(edges, known), known
