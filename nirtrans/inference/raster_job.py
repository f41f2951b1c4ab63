"""All that determines one raster, and the digest by which parts of it are known again."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property

from nirtrans import __version__
from nirtrans.inference.colorizer import Colorizer
from nirtrans.inference.forward import NetworkOptions
from nirtrans.inference.output_mask import OutputMask
from nirtrans.inference.raster_plan import Seam
from nirtrans.inference.scaling import RasterScene
from nirtrans.inference.scene_statistics import SceneStatistics
from nirtrans.inference.tiling import Grid, Window
from nirtrans.io.geotiff_write import lay_out, may_have_holes
from nirtrans.io.parts import Parts
from nirtrans.io.raster_form import RasterForm


@dataclass(frozen=True)
class RasterJob:
    """All that determines one result, and where its parts lie."""

    colorizer: Colorizer
    scene: RasterScene
    grid: Grid
    network: NetworkOptions
    form: RasterForm
    statistics: SceneStatistics
    parts: Parts
    mask: OutputMask
    seam: Seam = "exact"

    @cached_property
    def masked(self) -> bool:
        """Whether any pixel of the result may be invalid."""
        return self.mask.area is not None or may_have_holes(self.scene.raster)

    @cached_property
    def head(self) -> bytes:
        """The file without blocks, its colours marked as synthetic and all that determines them named."""
        sample = self.statistics.sample
        origin: dict[str, object] = {
            "version": __version__,
            "model": self.colorizer.info.model,
            "weights_sha256": self.colorizer.digest,
            **self.scene.describe(),
            **self.mask.describe(),
            "halo_px": self.grid.halo_px,
            **vars(self.network),
            "seam": self.seam,
            "statistics": None if sample is None else sample.model_dump(),
        }
        tags = {"SYNTHETIC_COLOR": "YES", "NIRTRANS": json.dumps(origin)}
        return lay_out(self.scene.raster, self.form, tags, self.grid.wanted, masked=self.masked)

    def window(self, number: int) -> Window:
        """Return the window of a tile in the file."""
        core, wanted = self.grid.tile(number).core, self.grid.wanted
        return Window(core.top - wanted.top, core.left - wanted.left, core.height, core.width)

    def name(self, number: int) -> str:
        """Return what a tile is called in messages: its size and place in the source."""
        core = self.grid.tile(number).core
        return f"{core.height}x{core.width} pixels at row {core.top}, column {core.left}"

    @cached_property
    def key(self) -> str:
        """A digest of all that determines the bytes."""
        rest = f"{self.grid} {self.statistics.model_dump_json()} {self.scene.raster.identity()}"
        return hashlib.sha256(self.head + rest.encode()).hexdigest()
