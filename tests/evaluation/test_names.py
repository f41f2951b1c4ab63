"""Weights are called by the shortest name that tells them apart."""

from pathlib import Path

import pytest

from nirtrans.evaluation.names import name_weights


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["tiny.safetensors"], ["tiny"]),
        (["runs/x/best.safetensors"], ["x"]),
        (["runs/x/best.safetensors", "runs/y/best.safetensors", "z.safetensors"], ["x", "y", "z"]),
        (["runs/x/best.safetensors", "runs/x/last.safetensors"], ["x/best", "x/last"]),
        (["a/x/best.safetensors", "b/x/best.safetensors"], ["a/x", "b/x"]),
        (["a/m.safetensors", "b/m.safetensors", "m/best.safetensors"], ["a/m", "b/m", "*/m"]),
        (["x.safetensors", "./x.safetensors"], ["x"]),
    ],
)
def test_shortest_names(paths: list[str], names: list[str], tmp_path: Path) -> None:
    found = name_weights([tmp_path / path for path in paths])
    assert list(found) == [name.replace("*", tmp_path.name) for name in names]


def test_links_to_one_file_count_once(tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").touch()
    (tmp_path / "b.safetensors").symlink_to(tmp_path / "a.safetensors")
    assert list(name_weights([tmp_path / "b.safetensors", tmp_path / "a.safetensors"])) == ["a"]
