"""S-shape network: a U-Net for colour, pushed towards sharpness by a second network that exists only in training.

Dong, Kamata, Breckon: "Infrared image colorization using S-shape network", ICIP 2018. The authors' laboratory published
code without a licence: layer tables are facts and are followed, no code is copied.

    to_rgb    `SShapeNet`: ColorNet, in the cascade followed by a refinement
    to_edges  `EdgeNet`: from coloured minus true picture to the Laplacian of the true one

Loss: mean squared difference of the colours + that of the edges, one to one. Pictures are in [0, 1] although ColorNet
ends in tanh; in use the result is clamped.

`cascade` is another reading of the paper's two networks: the second one refines the colours, in use as well, and both
results are compared with the truth (`configs/sshape-cascade.yaml`); its layers are ours.

What differs on purpose: bilinear doubling without aligned corners, since aligned ones depend on the size of the picture
and tiles would not fit together; reflected borders; sizes must be multiples of 16 instead of being padded inside;
samples are shuffled. Left out: the filter that the published code may run afterwards (detail and edge enhancement, then
a bilateral filter). `fidelity` adds terms that the paper does not have. Needs aligned pairs.
"""

from typing import Annotated, Any, Literal

from pydantic import Field
from torch import Tensor

from nirtrans.color.ranges import to_signed
from nirtrans.config import Settings
from nirtrans.losses.edges import laplacian_edges
from nirtrans.losses.fidelity import Fidelity, fidelity_terms
from nirtrans.losses.masked import blank, masked_mse
from nirtrans.models.system import MODELS, System, TrainingBatch
from nirtrans.nn.norms import NormKind
from nirtrans.nn.sshape import EdgeNet, SShapeNet

Width = Annotated[int, Field(ge=1, le=512)]
Weight = Annotated[float, Field(ge=0)]


@MODELS.add("sshape")
class SShape(System):
    """Regress RGB with a U-Net whose errors must not hide the edges of the truth."""

    class Params(Settings):
        """Sizes of the networks and weights of the losses."""

        width: Width = 64
        """Channels of the U-Net at full size, and of the refinement."""
        halvings: Annotated[int, Field(ge=2, le=5)] = 4
        """Poolings of the U-Net: sizes must be multiples of 2 ** halvings."""
        norm: NormKind = "batch"
        """Normalisation of all networks: instance, batch, group or none."""
        edge: Literal["released", "figure", "early", "none"] = "released"
        """EdgeNet: as in the released code, in the paper's figure, in an early version, or none."""
        edge_width: Width = 64
        """Channels of EdgeNet's first layer."""
        cascade: bool = False
        """Whether a second network refines the colours, in use as well."""
        colour: Weight = 1.0
        """Weight of the squared difference to the truth, of each network that makes colours."""
        edges: Weight = 1.0
        """Weight of the squared difference of the edges."""
        fidelity: Fidelity = Fidelity()
        """Further terms between the final colours and the truth; the paper has none."""

    phases = {"generator": ("to_rgb", "to_edges")}
    inference = ("to_rgb",)
    domains = frozenset({"nir", "gray", "lineart"})
    pairings = frozenset({"paired"})
    paper = "Dong et al. 2018, ICIP"
    params: Params

    def __init__(self, params: Params, *, in_channels: int) -> None:
        super().__init__(params, in_channels=in_channels)
        p = params
        self.to_rgb = SShapeNet(in_channels, width=p.width, halvings=p.halvings, norm=p.norm, cascade=p.cascade)
        if p.edge == "none":
            self.phases = {"generator": ("to_rgb",)}
        else:
            self.to_edges = EdgeNet(p.edge, width=p.edge_width, norm=p.norm)

    def colorize(self, source: Tensor) -> Tensor:
        """Translate [N, C, H, W] in [0, 1] to sRGB [N, 3, H, W] in [0, 1]; H and W multiples of 2 ** halvings."""
        return self.to_rgb(source)[-1].clamp(0, 1)

    def forward_train(self, batch: TrainingBatch) -> dict[str, Any]:
        """Colour, and draw the edges from what the final colours miss; pixels without data are black on the way in."""
        source, rgb = blank(batch.source, batch.valid), blank(batch.target, batch.valid)
        out: dict[str, Any] = {"source": source, "rgb": rgb, "colours": self.to_rgb(source)}
        if self.params.edge != "none":
            out["edges"] = self.to_edges(blank(out["colours"][-1], batch.valid) - rgb)
        return out

    def losses(self, phase: str, batch: TrainingBatch, out: dict[str, Any]) -> dict[str, Tensor]:
        """Return the terms of the only phase; pixels without data leave all of them."""
        p, valid, rgb = self.params, batch.valid, out["rgb"]
        *rough, final = out["colours"]
        terms = {"colour": p.colour * masked_mse(final, rgb, valid)}
        if rough:
            terms["rough"] = p.colour * masked_mse(rough[0], rgb, valid)
        if "edges" in out:
            edges, known = laplacian_edges(rgb, valid)
            terms["edges"] = p.edges * masked_mse(out["edges"], edges, known)
        fake, real, source = (to_signed(image) for image in (final.clamp(0, 1), rgb, out["source"]))
        return terms | fidelity_terms(p.fidelity, fake, real, source=source, valid=valid)
