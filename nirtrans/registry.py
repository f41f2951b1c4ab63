"""A named collection of classes that answers a wrong name with the nearest right one."""

import difflib
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from nirtrans.errors import UnknownNameError

T = TypeVar("T")


def did_you_mean(name: str, known: Iterator[str] | list[str]) -> str:
    """Return "; did you mean X?" for the nearest known name, or the list of all when none is near."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if near:
        return f"; did you mean {near[0]}?"
    return f"; known: {', '.join(names)}" if names else ""


class Registry(Generic[T]):
    """Map kebab-case names to classes.

    Example:
        >>> SHAPES = Registry("shape")
        >>> @SHAPES.add("square")
        ... class Square: ...
        >>> SHAPES.find("square").__name__
        'Square'
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._items: dict[str, type[T]] = {}

    def add(self, name: str) -> Callable[[type[T]], type[T]]:
        """Register the decorated class under `name`; a name can be taken only once."""

        def register(item: type[T]) -> type[T]:
            if name in self._items:
                raise ValueError(f"{self.kind} {name} is registered twice")
            self._items[name] = item
            return item

        return register

    def find(self, name: str) -> type[T]:
        """Return the class called `name`.

        Raises:
            UnknownNameError: If there is none; the message proposes the nearest name.
        """
        if name not in self._items:
            raise UnknownNameError(f"unknown {self.kind} {name!r}{did_you_mean(name, list(self._items))}")
        return self._items[name]

    def names(self) -> list[str]:
        """Return all names, sorted."""
        return sorted(self._items)
