"""What the kernels accept besides arrays, with torch and without."""

import math
from collections.abc import Sequence
from numbers import Real
from typing import Any

PADDINGS = ("valid", "reflect", "zero")
NORMALIZATIONS = ("relu", "simple", None)
LARGEST_WINDOW = 33


def check_numbers(operator: str, **options: object) -> None:
    """Raise unless all options, by name, are numbers.

    Raises:
        TypeError: If one is not, such as the string "0.5" of a configuration.
    """
    for name, option in options.items():
        if not _is_number(option):
            raise TypeError(f"{operator}: expected a number as {name}, got {type(option).__name__}")


def _is_number(option: object) -> bool:
    # Traced numbers are told by their type alone. A tensor with a gradient would silently not receive it.
    if isinstance(option, (int, float, Real)):
        return True
    return getattr(option, "ndim", None) == 0 and not getattr(option, "requires_grad", False)


def check_flag(operator: str, name: str, option: object) -> None:
    """Raise unless the option is True or False.

    Raises:
        TypeError: If it is not.
    """
    if not isinstance(option, bool):
        raise TypeError(f"{operator}: expected True or False as {name}, got {type(option).__name__}")


def check_norms(operator: str, l_norm: Any, ab_norm: float) -> None:
    """Raise unless l_norm is (offset, scale), all three are finite and no scale is 0.

    Raises:
        TypeError: If one is no number.
        ValueError: If one is out of range, or l_norm no pair.
    """
    if not hasattr(l_norm, "__len__") or len(l_norm) != 2:
        raise ValueError(f"{operator}: expected l_norm as (offset, scale), got {l_norm!r}; (50, 50) is usual")
    offset, scale = l_norm
    check_numbers(operator, offset=offset, scale=scale, ab_norm=ab_norm)
    if not all(abs(number) < math.inf for number in (offset, scale, ab_norm)) or scale == 0 or ab_norm == 0:
        raise ValueError(
            f"{operator}: expected finite norms with scales other than 0, got l_norm {l_norm!r}, ab_norm {ab_norm!r}; "
            "(50, 50) and 110 are usual"
        )


def check_neighbors(operator: str, neighbors: int, bins: int, sigma: float) -> None:
    """Raise unless colours can be encoded over this number of bins.

    Raises:
        TypeError: If neighbors is no int, or sigma no number.
        ValueError: If neighbors is not in 1..bins, or sigma out of range.
    """
    if not isinstance(neighbors, int) or isinstance(neighbors, bool):
        raise TypeError(f"{operator}: expected an int as neighbors, got {type(neighbors).__name__}")
    if not 1 <= neighbors <= bins:
        raise ValueError(f"{operator}: expected neighbors from 1 to {bins}, the number of bins, got {neighbors}")
    _check_scale(operator, "sigma", sigma, "the published value is 5")


def check_temperature(operator: str, temperature: float) -> None:
    """Raise unless the temperature is positive and neither tiny nor huge.

    Raises:
        TypeError: If it is no number.
        ValueError: If it is out of range.
    """
    _check_scale(operator, "temperature", temperature, "the published value is 0.38")


def _check_scale(operator: str, name: str, scale: float, usual: str) -> None:
    check_numbers(operator, **{name: scale})
    # Beyond, its square or inverse leaves the range of float32, and the result would be NaN.
    if not 1e-15 <= scale <= 1e15:
        raise ValueError(f"{operator}: expected {name} from 1e-15 to 1e15, got {scale}; {usual}")


def check_mix(operator: str, mix: float) -> None:
    """Raise unless mix is a share.

    Raises:
        TypeError: If it is no number.
        ValueError: If it is not in [0, 1].
    """
    check_numbers(operator, mix=mix)
    if not 0 <= mix <= 1:
        raise ValueError(f"{operator}: expected mix in [0, 1], got {mix}; the published value is 0.5")


def check_window(operator: str, data_range: float, size: int, sigma: float, padding: str) -> None:
    """Raise unless these define a map of SSIM.

    Raises:
        TypeError: If data_range or sigma is no number.
        ValueError: If one of the options is out of range.
    """
    check_numbers(operator, data_range=data_range)
    # Beyond, the fourth powers in the derivatives leave the range of float32.
    if not 1e-6 <= data_range <= 1e8:
        raise ValueError(f"{operator}: expected data_range from 1e-6 to 1e8, got {data_range}; 1 for images in [0, 1]")
    if not isinstance(size, int) or size % 2 == 0 or not 3 <= size <= LARGEST_WINDOW:
        raise ValueError(f"{operator}: expected an odd window_size from 3 to {LARGEST_WINDOW}, got {size}; 11 is usual")
    _check_scale(operator, "sigma", sigma, "1.5 is usual")
    check_choice(operator, "padding", padding, PADDINGS)


def check_fits(operator: str, sides: Sequence[int], size: int, padding: str) -> None:
    """Raise unless images of this height and width hold a window.

    Raises:
        ValueError: If a side is too short.
    """
    least = {"valid": size, "reflect": size // 2 + 1, "zero": 1}[padding]
    if min(sides) < least:
        raise ValueError(
            f"{operator}: expected height and width of at least {least} for a window of {size} with padding "
            f"{padding!r}, got {sides[0]} x {sides[1]}; use a smaller window_size or another padding"
        )


def check_product(weights: Sequence[float], normalize: str | None, eps: float) -> None:
    """Raise unless these define the product of the levels of MS-SSIM.

    Raises:
        TypeError: If the weights are no sequence of numbers, or eps no number.
        ValueError: If there is no weight, one is negative or not finite, or normalize or eps is out of range.
    """
    if not hasattr(weights, "__len__"):
        raise TypeError(f"ms_ssim: expected one weight per level, got {type(weights).__name__}; give a tuple")
    check_numbers("ms_ssim", **{f"weights[{i}]": weight for i, weight in enumerate(weights)})
    if len(weights) < 1:
        raise ValueError("ms_ssim: expected at least one weight, got none; leave weights out for the usual five")
    if not all(0 <= weight < math.inf for weight in weights):
        raise ValueError(f"ms_ssim: expected finite weights >= 0, got {weights}; leave weights out for the usual five")
    check_choice("ms_ssim", "normalize", normalize, NORMALIZATIONS)
    check_numbers("ms_ssim", eps=eps)
    if not 0 <= eps < 1:
        raise ValueError(f"ms_ssim: expected eps in [0, 1), got {eps}; 0 is usual")


def check_levels(sides: Sequence[int], levels: int, size: int) -> None:
    """Raise unless height and width are large enough for this number of levels of this window.

    Raises:
        ValueError: If a side is too short; the message proposes fewer levels.
    """
    if min(sides) < smallest_side(levels, size):
        most = max((n for n in range(1, levels) if min(sides) >= smallest_side(n, size)), default=0)
        advice = f"use at most {most} weights" if most else f"use ssim with a window_size below {size}"
        raise ValueError(
            f"ms_ssim: expected height and width above {smallest_side(levels, size) - 1} for {levels} levels, got "
            f"{sides[0]} x {sides[1]}; {advice}"
        )


def smallest_side(levels: int, size: int) -> int:
    """Return the smallest side of images for this number of levels."""
    return (size - 1) * 2 ** (levels - 1) + 1


def check_choice(operator: str, argument: str, choice: object, known: Sequence[object]) -> None:
    """Raise unless the choice is known.

    Raises:
        ValueError: If it is not; the message names all.
    """
    if choice not in known:
        names = f"{', '.join(map(repr, known[:-1]))} or {known[-1]!r}"
        raise ValueError(f"{operator}: expected {argument} {names}, got {choice!r}; choose one of them")
