"""Lists of pictures to leave out, such as `nirtrans data check-registration` writes."""

from collections.abc import Mapping
from pathlib import Path

from nirtrans.data.split import Label, read_table
from nirtrans.errors import DataError
from nirtrans.registry import did_you_mean


class Exclusion:
    """The ids of one list, and where each was met.

    An id is the name of a file without suffix. Where two sources hold files of that name, FOLDER/id says which.
    """

    def __init__(self, path: str | None) -> None:
        """Read the column `id` of a CSV file; without a path nothing is left out.

        Raises:
            DataError: If the file cannot be read or has no such column.
        """
        self.path = path
        rows = read_table(Path(path).expanduser(), ("id",), empty=True) if path else []
        self._met: dict[str, list[str]] = {row["id"]: [] for row in rows}
        self._names: list[str] = []

    def apply(self, labels: Mapping[str, Label], folder: Path) -> dict[str, Label]:
        """Return what is left of the files of a source."""
        self._names += labels
        kept = {}
        for name, label in labels.items():
            asked = [id_ for id_ in (name, f"{folder.name}/{name}") if id_ in self._met]
            for id_ in asked:
                self._met[id_].append(str(folder))
            if not asked:
                kept[name] = label
        return kept

    def check(self) -> None:
        """Refuse a list that does not fit the sources, after it was applied to all of them.

        Raises:
            DataError: If an id names no file, or files of two sources.
        """
        for id_, folders in self._met.items():
            if not folders:
                near = did_you_mean(id_, self._names)
                raise DataError(f"{self.path}: leaves out {id_!r}, which is no file of these data{near}")
            if len(folders) > 1:
                raise DataError(f"{self.path}: {id_!r} is in {' and in '.join(folders)}; write FOLDER/{id_} instead")
