"""Encoders and decoders of a common latent space."""

import pytest
import torch

from nirtrans.errors import InputError
from nirtrans.nn.autoencoder import PictureDecoder, PictureEncoder, ResidualChain


def test_what_one_encodes_another_decodes() -> None:
    size = {"width": 4, "halvings": 2, "norm": "instance"}
    encoder, decoder = PictureEncoder(1, blocks=0, **size), PictureDecoder(3, blocks=1, up_kind="convt", **size)
    code = ResidualChain(16, blocks=2, norm="instance")(encoder(torch.rand(2, 1, 16, 24)))
    assert code.shape == (2, 16, 4, 6)
    picture = decoder(code)
    assert picture.shape == (2, 3, 16, 24)
    assert picture.abs().max() <= 1


def test_a_size_that_does_not_fit_names_one_that_does() -> None:
    encoder = PictureEncoder(1, width=2, halvings=2, blocks=0, norm="none")
    with pytest.raises(InputError, match=r"size 18x20 does not fit PictureEncoder .*use multiples of 4: 20x20"):
        encoder(torch.rand(1, 1, 18, 20))
