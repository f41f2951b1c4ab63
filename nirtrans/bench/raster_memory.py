"""How much memory colouring a raster takes, over the size of the scene."""

from dataclasses import replace

from nirtrans.bench.raster_place import Place, remove_results
from nirtrans.bench.raster_scenes import write_scene
from nirtrans.bench.raster_speed import LOOP, WHOLE
from nirtrans.bench.tables import Findings, Goal, Table

BASE = "process with opened weights"


def memory(place: Place) -> Findings:
    """Measure the peak memory of ours and of plain scripts, with the grey network."""
    sizes = place.sizes
    small, large = sizes.memory_px
    sparse = {
        side: write_scene(place.folder / f"sparse-{side}.tif", side, stripe_px=sizes.stripe_px)
        for side in sizes.memory_px
    }
    dense, dense_name = place.scene(sizes.scene_px), f"nirtrans, {sizes.scene_px} px, dense"
    whole = f"{WHOLE}, {sizes.scene_px} px"
    ours = {f"nirtrans, {side} px, sparse": place.task("colorize", path, known=False) for side, path in sparse.items()}
    ours |= {dense_name: place.task("colorize", dense, known=False)}
    plain = {f"{LOOP}, {side} px, sparse": place.task("plain_loop", path) for side, path in sparse.items()}
    plain |= {whole: place.task("whole_array", dense), BASE: place.task("idle", dense)}
    once = replace(place, sizes=replace(sizes, rounds=1))
    costs = place.race(ours) | once.race(plain)
    peaks = {name: cost.base_mb if name == BASE else cost.peak_mb for name, cost in costs.items()}
    beyond = f"{WHOLE}, {large} px, computed from {sizes.scene_px} px"
    peaks[beyond] = peaks[BASE] + (peaks[whole] - peaks[BASE]) * (large / sizes.scene_px) ** 2
    rows: dict[str, list[float | None]] = {name: [peak, peak - peaks[BASE]] for name, peak in peaks.items()}
    grown = peaks[f"nirtrans, {large} px, sparse"] / peaks[f"nirtrans, {small} px, sparse"]
    goals = [
        Goal(f"memory: peak at {large} px / at {small} px", grown, 1.05),
        Goal("memory: peak above base in MB, dense scene", peaks[dense_name] - peaks[BASE], 200),
    ]
    note = (
        f"Grey network. Of sparse scenes, {sizes.stripe_px} rows hold pixels over the whole width; the rest is nodata."
    )
    remove_results(ours | plain)
    return Table("Peak memory of the process", note, ["peak MB", "above base MB"], rows), goals
