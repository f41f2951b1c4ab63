"""Where the tiles of a raster are made: in the threads of this process, or on the workers of a cluster."""

from collections.abc import Iterator
from functools import partial

from nirtrans.inference.blend import blended, contributors
from nirtrans.inference.cluster import Cluster
from nirtrans.inference.encoding import Encoded, encode
from nirtrans.inference.raster_job import RasterJob
from nirtrans.inference.resources import Resources
from nirtrans.inference.stream import ahead, process_tiles
from nirtrans.inference.worker import Work


def encoded_tiles(
    job: RasterJob, numbers: range, resources: Resources, cluster: Cluster | None = None
) -> Iterator[Encoded]:
    """Yield the blocks of tiles and what is to be known of them, in order."""
    if cluster is not None:
        return cluster.encoded(_work(job, cluster, resources), map(job.grid.tile, numbers))
    forward, pace = job.colorizer.forward(job.network.precision), resources.pace(job.colorizer, job.grid)
    compress = partial(encode, form=job.form, masked=job.masked)
    process = partial(process_tiles, forward, job.scene, pace=pace, read=job.mask.read_tile)
    if job.seam == "exact":
        return process(map(job.grid.tile, numbers), compress)
    coloured = process(map(job.grid.tile, contributors(job.grid, numbers)), lambda done: done)
    return ahead(compress, blended(job.grid, coloured, numbers), count=pace.finishers, workers=pace.finishers)


def _work(job: RasterJob, cluster: Cluster, resources: Resources) -> Work:
    """Return the description of a job that workers get."""
    inputs = cluster.inputs(job.scene.raster.source, job.colorizer.digest)
    scene, mask = job.scene.elsewhere(), job.mask
    return Work(inputs, scene, job.grid, job.network, job.form, mask, job.masked, job.statistics, resources, job.key)
