"""Read, merge and print configs: YAML files, shipped names, flags and `--set key=value`.

Precedence: `--set` over flags over `--config FILE` over `configs/NAME-DOMAIN.yaml` over `configs/NAME.yaml` over the
defaults of the fields.
"""

import copy
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from nirtrans.config import Run, Settings
from nirtrans.domains import find_domain
from nirtrans.errors import ConfigError, UnknownNameError
from nirtrans.registry import did_you_mean

MAX_BYTES = 1_000_000
MAX_NODES = 100_000
SHIPPED = Path(__file__).parent / "configs"
SettingsT = TypeVar("SettingsT", bound=Settings)


class _Loader(yaml.SafeLoader):
    """SafeLoader that refuses duplicate keys."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise ConfigError(f"line {key_node.start_mark.line + 1}: expected a word as key, got {key!r}; quote it")
            if key in seen:
                raise ConfigError(f"line {key_node.start_mark.line + 1}: {key} is set twice; keep one")
            seen.add(key)
        return super().construct_mapping(node, deep)


def _expanded_nodes(node: yaml.Node, known: dict[int, int]) -> int:
    """Count nodes with every alias written out, so that nested aliases cannot explode."""
    if id(node) not in known:
        known[id(node)] = MAX_NODES + 1  # an alias to its own parent never ends
        children = node.value if isinstance(node, yaml.SequenceNode | yaml.MappingNode) else ()
        flat = [part for child in children for part in (child if isinstance(child, tuple) else (child,))]
        known[id(node)] = 1 + sum(_expanded_nodes(child, known) for child in flat)
    return known[id(node)]


def parse_yaml(text: str, origin: str) -> dict[str, Any]:
    """Parse YAML text that must hold a mapping.

    Raises:
        ConfigError: If it is no YAML mapping, too large, has duplicate keys or aliases that explode; names `origin`.
    """
    if len(text) > MAX_BYTES:
        raise ConfigError(f"{origin}: expected a config of at most 1 MB, got {len(text) / 1e6:.1f} MB")
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is not None and _expanded_nodes(node, {}) > MAX_NODES:
            raise ConfigError(f"aliases expand to more than {MAX_NODES} values; write them out")
        value = loader.construct_document(node) if node is not None else {}
    except ConfigError as error:
        raise ConfigError(f"{origin}: {error}") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:  # ValueError: the 99th of a month, endless digits
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        raise ConfigError(f"{origin}: no valid YAML{where}: {getattr(error, 'problem', error)}") from None
    finally:
        loader.dispose()
    if not isinstance(value, dict):
        raise ConfigError(f"{origin}: expected `key: value` lines, got a {type(value).__name__}")
    return value


def read_config(path: Path) -> dict[str, Any]:
    """Read one YAML file; raises ConfigError naming it when it is absent, unreadable or malformed."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError(f"{path}: expected a config of at most 1 MB, got {path.stat().st_size / 1e6:.1f} MB")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "no UTF-8 text"
        raise ConfigError(
            f"{path}: cannot be read ({reason}); give a YAML file or one of {', '.join(shipped())}"
        ) from None
    return parse_yaml(text, str(path))


def shipped() -> dict[str, Path]:
    """Return the configs inside the package, by name."""
    return {path.stem: path for path in sorted(SHIPPED.glob("*.yaml"))}


def find_config(name_or_path: str) -> dict[str, Any]:
    """Read a shipped config by name, or a file.

    Raises:
        UnknownNameError: If it is neither; proposes the nearest shipped name.
    """
    if name_or_path in shipped():
        return read_config(shipped()[name_or_path])
    path = Path(name_or_path)
    if path.suffix in {".yaml", ".yml"} or os.path.exists(path):  # Path.exists raises where a name is too long
        return read_config(path)
    raise UnknownNameError(f"unknown config {name_or_path!r}{did_you_mean(name_or_path, list(shipped()))}")


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with the values of `over`; mappings merge key by key, everything else is replaced."""
    result = copy.deepcopy(dict(base))
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = merge(result[key], value) if both else copy.deepcopy(value)
    return result


def parse_overrides(overrides: Iterable[str]) -> dict[str, Any]:
    """Turn `section.key=value` items into nested mappings; values are YAML.

    Raises:
        ConfigError: If an item has no `=` or an empty key.
    """
    result: dict[str, Any] = {}
    for item in overrides:
        key, equals, text = item.partition("=")
        if not equals or not all(key.strip().split(".")):
            raise ConfigError(f"--set expects section.key=value, got {item!r}; for example --set train.batch=2")
        parsed = parse_yaml(f"value: {text}", f"--set {item}")
        if parsed.keys() != {"value"}:
            raise ConfigError(f"--set expects one setting, got {item!r}; repeat --set for the others")
        *blocks, last = key.strip().split(".")
        nested: dict[str, Any] = {last: parsed["value"]}
        for block in reversed(blocks):
            nested = {block: nested}
        result = merge(result, nested)
    return result


def resolve_run(
    config: str | None = None,
    *,
    model: str | None = None,
    flags: Mapping[str, Any] | None = None,
    overrides: Iterable[str] = (),
) -> Run:
    """Build a run from a config name or file, a model name, flags and `--set` items.

    Args:
        config: Name of a shipped config, or a YAML file.
        model: Model name; its shipped config lies under `config`, between both that of its domain if there is one.
        flags: Nested mapping of what other flags set, such as {"train": {"steps": 10}}.
        overrides: `section.key=value` items.

    Raises:
        ConfigError: If a key or value is wrong, or neither names a model.
        UnknownNameError: If `config` is neither a file nor a shipped name, or the domain is unknown.
    """
    given = find_config(config) if config else {}
    changes = merge(flags or {}, parse_overrides(overrides))
    name = model or changes.get("model") or given.get("model")
    if not name:
        raise ConfigError(
            "no model: give --model NAME, or --config FILE with a `model:` line; `nirtrans models` lists them"
        )
    if not isinstance(name, str):
        raise ConfigError(f"model: expected a name, got {name!r}; `nirtrans models` lists them")
    asked = merge(given, changes)
    base = _shipped_or_empty(name)
    merged = merge(merge(base, _shipped_or_empty(f"{name}-{asked.get('domain', base.get('domain'))}")), asked)
    merged["model"] = name
    if "domain" not in merged:
        raise ConfigError(f"no domain for {name}: give --domain nir, gray or lineart")
    run = validate(Run, merged, origin=config or name)
    find_domain(run.domain)
    return run


def _shipped_or_empty(name: str) -> dict[str, Any]:
    return read_config(shipped()[name]) if name in shipped() else {}


def validate(settings: type[SettingsT], values: Mapping[str, Any], *, origin: str, prefix: str = "") -> SettingsT:
    """Validate a mapping; the first fault becomes a one-line ConfigError that proposes the nearest key.

    Args:
        settings: The block to build.
        values: Nested mapping.
        origin: File or name to start the message with.
        prefix: Where the block stands in the config, such as "network.".
    """
    try:
        return settings.model_validate(dict(values))
    except ValidationError as error:
        raise ConfigError(f"{origin}: {_first_fault(settings, error, prefix)}") from None


_EXPECTED = {
    "tuple_type": "expected a list such as [1, 2]",
    "too_short": "expected more values in the list",
    "model_type": "expected settings such as {key: value}",
    "dict_type": "expected settings such as {key: value}",
}
"""In a user's words what pydantic says in those of Python, by the type of its error."""


def _first_fault(settings: type[Settings], error: ValidationError, prefix: str) -> str:
    faults = error.errors(include_url=False)
    fault = next((fault for fault in faults if fault["type"] == "extra_forbidden"), faults[0])
    path = [str(part) for part in fault["loc"]]
    name = (prefix + ".".join(path)).removesuffix(".")
    if fault["type"] == "extra_forbidden":
        return _unknown(settings, path, prefix)
    reason = _EXPECTED.get(fault["type"], fault["msg"].removeprefix("Value error, "))
    of_a_block = fault["type"] == "value_error" and isinstance(fault["input"], dict)  # it names the values itself
    received = "" if fault["type"] == "missing" or of_a_block else f", got {fault['input']!r}"
    return f"{name}: {reason}{received}" if name else reason


def _unknown(settings: type[Settings], path: list[str], prefix: str) -> str:
    """Say what a key that does not exist was renamed to, or which one is like it: here, or a block deeper."""
    name, parent = prefix + ".".join(path), prefix + "".join(f"{part}." for part in path[:-1])
    blocks = _blocks_at(settings, path[:-1])
    for block in blocks:
        if path[-1] in block.renamed:
            return f"{name} has become {parent}{block.renamed[path[-1]]}"
    deeper = [
        f"{parent}{key}.{path[-1]}"
        for block in blocks
        for key, field in block.model_fields.items()
        if path[-1] in getattr(field.annotation, "model_fields", ())
    ]
    if deeper:
        return f"{name} is not a setting; did you mean {' or '.join(deeper)}?"
    return (
        f"{name} is not a setting{did_you_mean(name, [parent + key for block in blocks for key in block.model_fields])}"
    )


def _blocks_at(settings: type[Settings], path: list[str]) -> set[type[Settings]]:
    """Return the block at `path`, following lists and mappings of blocks."""
    blocks = {settings}
    for part in path:
        if part.isdigit():
            continue
        fields = [block.model_fields[part].annotation for block in blocks if part in block.model_fields]
        blocks = {inner for field in fields for inner in _blocks_in(field)} or blocks
    return blocks


def _blocks_in(annotation: Any) -> set[type[Settings]]:
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        return {annotation}
    return set().union(*(_blocks_in(inner) for inner in getattr(annotation, "__args__", ()) or ()), set())


def dump_run(run: Run) -> str:
    """Return the resolved run as YAML, every value written out."""
    return yaml.safe_dump(run.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=110)
