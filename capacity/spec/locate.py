"""The line of a path in a JSON file, found only when an error has to name it."""

from __future__ import annotations

from pathlib import Path

from capacity.spec.document import YAML_LIMIT_BYTES


def line_of(file: str, keys: list[str | int]) -> int | None:
    """Line of the value at ``keys``, or None where it cannot be told (stdin, a huge file).

    JSON is YAML enough for libyaml to compose it with marks; the file is read a second time, which
    costs nothing unless there is an error to report.
    """
    import yaml

    path = Path(file)
    try:
        if not path.is_file() or path.stat().st_size > YAML_LIMIT_BYTES:
            return None
        node = yaml.compose(path.read_text("utf-8-sig"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError):
        return None
    line: int | None = None
    at: object = node
    for key in keys:
        found = _step(at, key)
        if found is None:
            return line
        at, line = found
    return line


def _step(node: object, key: str | int) -> tuple[object, int] | None:
    value = getattr(node, "value", None)
    if isinstance(key, int):
        if isinstance(value, list) and key < len(value) and not isinstance(value[key], tuple):
            return value[key], value[key].start_mark.line + 1
        return None
    for pair in value if isinstance(value, list) else []:
        if isinstance(pair, tuple) and pair[0].value == key:
            return pair[1], pair[0].start_mark.line + 1
    return None
