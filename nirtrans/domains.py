"""The kinds of picture that nirtrans translates to RGB."""

from dataclasses import dataclass

from nirtrans.errors import UnknownNameError
from nirtrans.registry import did_you_mean


@dataclass(frozen=True)
class Domain:
    """One kind of source picture.

    Attributes:
        name: As typed after `--domain`, and the folder that holds the sources of pairs.
        in_channels: Channels that a network receives.
        description: One line for `nirtrans models`.
    """

    name: str
    in_channels: int
    description: str


DOMAINS = {
    domain.name: domain
    for domain in (
        Domain("nir", 1, "near-infrared pictures and raster bands, about 750-1100 nm"),
        Domain("gray", 1, "grayscale photographs"),
        Domain("lineart", 1, "line drawings"),
    )
}


def find_domain(name: str) -> Domain:
    """Return the domain called `name`.

    Raises:
        UnknownNameError: If there is none; the message proposes the nearest one.
    """
    if name not in DOMAINS:
        raise UnknownNameError(f"unknown domain {name!r}{did_you_mean(name, list(DOMAINS))}")
    return DOMAINS[name]
