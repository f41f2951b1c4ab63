"""Read the polygons of a GeoJSON file: RFC 7946, or the older form with a `crs` member."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nirtrans.errors import InputError

LONGITUDE_LATITUDE = "OGC:CRS84"
FARTHEST_DEGREES = (360.0, 90.0)
"""Longitudes may run to 360, as some programs count them."""

Ring = NDArray[np.float64]
"""[K, 2], x and y; the last point is not the first."""
Polygon = tuple[Ring, ...]
"""The outline and the holes."""


@dataclass(frozen=True)
class Polygons:
    """What a file encloses.

    Attributes:
        polygons: All that are in the file.
        crs: Coordinate system, in words that PROJ knows.
        digest: SHA-256 of both.
    """

    polygons: tuple[Polygon, ...]
    crs: str
    digest: str


def read_polygons(path: Path) -> Polygons:
    """Read all polygons of a Geometry, Feature or FeatureCollection; points and lines enclose nothing.

    Raises:
        InputError: If the file cannot be read, is no GeoJSON, or holds no polygon.
    """
    try:
        content = json.loads(path.read_bytes())
        geometries = list(_geometries(content))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); give a GeoJSON file") from None
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        remedy = f"other formats are converted by `ogr2ogr area.geojson {path.name}`"
        raise InputError(f"{path}: expected GeoJSON, got something else; {remedy}") from None
    parts = [coordinates for kind, coordinates in geometries if kind in ("Polygon", "MultiPolygon")]
    if not parts:
        kinds = ", ".join(sorted({str(kind) for kind, _ in geometries})) or "no geometry"
        raise InputError(f"{path}: expected a Polygon or MultiPolygon, got {kinds}")
    polygons = _polygons(path, parts)
    if not polygons:
        raise InputError(f"{path}: its polygons are empty; draw at least three corners")
    crs = _crs(path, content.get("crs"))
    _check_degrees(path, polygons, crs)
    return Polygons(polygons, crs, _digest(polygons, crs))


def _geometries(content: dict[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    """Yield the kind of each geometry and its coordinates; those of a single polygon as a list of one."""
    kind = content["type"]
    members = {"FeatureCollection": "features", "GeometryCollection": "geometries"}
    if kind in members:
        for member in content[members[kind]]:
            yield from _geometries(member)
    elif kind == "Feature":
        if content["geometry"] is not None:
            yield from _geometries(content["geometry"])
    else:
        coordinates = content["coordinates"]
        yield kind, [coordinates] if kind == "Polygon" else coordinates


def _polygons(path: Path, parts: list[Any]) -> tuple[Polygon, ...]:
    try:
        return tuple(tuple(_ring(ring) for ring in rings) for part in parts for rings in part if rings)
    except (TypeError, ValueError, IndexError, KeyError):
        raise InputError(f"{path}: expected rings of at least three corners, each two numbers") from None


def _ring(corners: Any) -> Ring:
    points = np.array([[corner[0], corner[1]] for corner in corners])
    if points.ndim != 2 or points.dtype.kind not in "if" or not np.isfinite(points).all():
        raise ValueError("expected pairs of finite numbers")
    if (points[0] == points[-1]).all():
        points = points[:-1]
    if len(points) < 3:
        raise ValueError("expected three corners")
    return points.astype(np.float64)


def _crs(path: Path, member: Any) -> str:
    """Return the coordinate system that the older form names."""
    if member is None:
        return LONGITUDE_LATITUDE
    try:
        name = member["properties"]["name"]
    except (KeyError, TypeError):
        name = None
    if not isinstance(name, str):
        raise InputError(f'{path}: its "crs" has no name; `ogr2ogr -t_srs EPSG:4326` leaves it out')
    return name


def _check_degrees(path: Path, polygons: tuple[Polygon, ...], crs: str) -> None:
    if crs != LONGITUDE_LATITUDE:
        return
    farthest = np.concatenate([np.abs(ring) for polygon in polygons for ring in polygon]).max(axis=0)
    if (farthest > FARTHEST_DEGREES).any():
        got = "expected degrees of longitude and latitude, got {:.6g},{:.6g}".format(*farthest)
        raise InputError(f"{path}: {got}; metres need a crs member, or `ogr2ogr -t_srs EPSG:4326`")


def _digest(polygons: tuple[Polygon, ...], crs: str) -> str:
    corners = [[ring.tolist() for ring in polygon] for polygon in polygons]
    return hashlib.sha256(json.dumps([crs, corners]).encode()).hexdigest()
