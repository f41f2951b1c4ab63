"""How fast a raster becomes colour: with networks that cost nothing, that take as long as the floor, and a real one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from nirtrans.bench.raster_child import Cost, Task
from nirtrans.bench.raster_networks import GREY, SMALL_CONFIG, TINT, pausing
from nirtrans.bench.raster_place import Place
from nirtrans.bench.tables import Findings, Goal, Table


@dataclass(frozen=True)
class Floor:
    """What reading and writing take by themselves, CPU seconds per pixel."""

    read: float
    write: float

    @property
    def overlapped(self) -> float:
        """F: one thread reads, one writes."""
        return max(self.read, self.write)

    @property
    def serial(self) -> float:
        """S: one thread does both."""
        return self.read + self.write


COLUMNS = ["wall s/Gpx", "CPU s/Gpx", "wall / F", "peak MB"]
READ, WRITE = "read every block once, 1 thread", "write RGB, 1 thread"
WRITE_ALL = "write RGB, GDAL on all cores"
TILES, ENCODED = "our tiles read, halo and scaling included", "our blocks encoded, 1 thread"
KNOWN, FIRST = "nirtrans, statistics given", "nirtrans, first pass included"
LOOP, LOOP_ALL = "plain loop by windows", "plain loop by windows, GDAL on all cores"
WHOLE = "plain script, whole array"
ALONE, SHARED = "the network alone, a tile for each thread", "the network alone, threads share a tile"
FLOOR = "F: one thread reads, one writes"


def speed(place: Place) -> Iterator[Findings]:
    """Yield one table for each network."""
    ways = {READ: "read_blocks", WRITE: "write_blocks", KNOWN: "colorize", FIRST: "colorize"}
    more = {WRITE_ALL: "write_blocks, all cores", TILES: "read_tiles", ENCODED: "encode_tiles"}
    plain = {LOOP: "plain_loop", LOOP_ALL: "plain_loop, all cores", WHOLE: "whole_array"}
    yield _free_network(place, TINT, ways | {LOOP: "plain_loop"})[0]
    found, floor = _free_network(place, GREY, ways | more | plain)
    yield found
    yield _equal_network(place, floor)
    yield _real_network(place, floor)


def _free_network(place: Place, network: str, ways: Mapping[str, str]) -> tuple[Findings, Floor]:
    """A network that costs nothing: what is left is ours."""
    side = place.sizes.scene_px
    tasks = {name: place.task(way, place.scene(side), network, known=name != FIRST) for name, way in ways.items()}
    costs = place.race(tasks)
    floor = Floor(*(costs[name].cpu_s / side**2 for name in (READ, WRITE)))
    rows = {name: _per_gigapixel(cost, side, floor) for name, cost in costs.items()} | _bounds(floor, place.threads)
    walls = {name: costs[name].wall_s / side**2 for name in (KNOWN, FIRST)}
    goals = [
        *(Goal(f"{network}: wall / F, {name}", wall / floor.overlapped, 1.3) for name, wall in walls.items()),
        Goal(f"{network}: wall / S, {FIRST}", walls[FIRST] / floor.serial, 1.1),
        Goal(f"{network}: bytes of the file / of a straight write", _size(tasks[KNOWN]) / _size(tasks[WRITE]), 1.02),
    ]
    if ENCODED in costs:
        goals.append(
            Goal(f"{network}: CPU of encoding / of a straight write", costs[ENCODED].cpu_s / costs[WRITE].cpu_s, 1.2)
        )
    place.compare(tasks, [name for name in ways if name not in (READ, FIRST, TILES, ENCODED)])
    title = f"A network that costs nothing ({network}), {side} x {side} px, uint16 to RGB uint8"
    note = (
        f"Starting a process and opening the weights takes {costs[KNOWN].start_s:.1f} s more. Ours brings its file to "
        "the disk (fsync); the plain scripts leave that to the system."
    )
    return (Table(title, note, COLUMNS, rows), goals), floor


def _bounds(floor: Floor, threads: int) -> dict[str, list[float | None]]:
    bounds = {
        FLOOR: floor.overlapped,
        "S: one thread does both": floor.serial,
        f"S / {threads}: both divided among all threads": floor.serial / threads,
    }
    return {name: [1e9 * bound, None, bound / floor.overlapped, None] for name, bound in bounds.items()}


def _size(task: Task) -> int:
    return Path(task.target).stat().st_size


def _equal_network(place: Place, floor: Floor) -> Findings:
    """A network that takes about as long as the floor, on a device of its own: what overlapping saves."""
    side = place.sizes.scene_px
    scene, network = place.scene(side), pausing(floor.overlapped)
    ways = {ALONE: "network", KNOWN: "colorize", LOOP: "plain_loop"}
    tasks = {name: place.task(way, scene, network) for name, way in ways.items()}
    costs = place.race(tasks)
    place.compare(tasks, [KNOWN, LOOP])
    serial = floor.serial * side**2 + costs[ALONE].wall_s
    rows: dict[str, list[float | None]] = {
        n: [cost.wall_s, cost.cpu_s, cost.wall_s / serial] for n, cost in costs.items()
    }
    rows["S + T: one after the other"] = [serial, None, 1.0]
    goals = [Goal("network as slow as F: wall / (S + T)", costs[KNOWN].wall_s / serial, 0.6)]
    title = f"A network that pauses for about F, as if a GPU computed, {side} x {side} px"
    note = "T is the time of the network alone. The pause is for one tile at a time."
    return Table(title, note, ["wall s", "CPU s", "wall / (S + T)"], rows), goals


def _real_network(place: Place, floor: Floor) -> Findings:
    """A small network on the processors that also read and write."""
    side = place.sizes.network_px
    scene, weights = place.scene(side), place.weights()
    ways = {ALONE: "network", SHARED: "shared_network", KNOWN: "colorize", FIRST: "colorize"}
    ways |= {LOOP: "plain_loop", WHOLE: "whole_array"}
    tasks = {name: place.task(way, scene, weights, known=name != FIRST) for name, way in ways.items()}
    costs = place.race(tasks)
    place.compare(tasks, [KNOWN, LOOP, WHOLE], levels=1)
    least = floor.overlapped * side**2
    bound = max(min(costs[ALONE].wall_s, costs[SHARED].wall_s), least)
    rows: dict[str, list[float | None]] = {
        name: [cost.wall_s, cost.cpu_s, cost.wall_s / bound, cost.peak_mb] for name, cost in costs.items()
    }
    rows[FLOOR] = [least, None, least / bound, None]
    goals = [
        Goal(f"small network: wall / max(T, F), {name}", costs[name].wall_s / bound, 1.1) for name in (KNOWN, FIRST)
    ]
    title = f"{SMALL_CONFIG} with batch norm, {side} x {side} px"
    note = "T is the lesser time of the network alone, on tiles in memory that include their halo."
    return Table(title, note, ["wall s", "CPU s", "wall / max(T, F)", "peak MB"], rows), goals


def _per_gigapixel(cost: Cost, side_px: int, floor: Floor) -> list[float | None]:
    giga = side_px**2 / 1e9
    return [cost.wall_s / giga, cost.cpu_s / giga, cost.wall_s / giga / 1e9 / floor.overlapped, cost.peak_mb]
