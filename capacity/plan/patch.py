"""Changing a plan by paths: ``cni.env.WARM_IP_TARGET=2``, ``nodeGroups.general.nodes.max=30``.

A patch is a mapping of path to value. Paths are those of error messages; an entry of a list is
named by its position (``nodeGroups[0]``), by its name (``nodeGroups.general``; where the name has dots
``tenants[ecr.api]``; in double quotes whatever it has, ``nodeGroups["a]=b"]``, with JSON's escapes), and
``[+]`` appends (``vpc.cidrs[+]``; a list appends each of its entries). The value None deletes. The patched
document goes through the same parser as any other.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

from capacity.catalog.table import Catalog
from capacity.errors import SpecError, did_you_mean
from capacity.files import write_file
from capacity.plan.document import EntryList, PlanFile, Section, kind_of, parse_json, parse_yaml, read_plan_file
from capacity.plan.model import Plan
from capacity.plan.parse import parse_plan

_QUOTED = r'"(?:[^"\\]|\\.)*"'
_STEP = re.compile(rf"\.?([^.\[\]=\s][^.\[\]=]*)|\[\s*({_QUOTED})\s*\]|\[([^\[\]]+)\]")
_SETTING = re.compile(rf"((?:[^\[\]=]|\[\s*{_QUOTED}\s*\]|\[[^\[\]]*\])*)=")  # the path up to its equals sign
_INTEGER = re.compile(r"^(0|-?[1-9][0-9]{0,17})$")
_BARE = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_./%+-]*$")
# a key with nothing after it, blank and comment lines, the first entry of its list
_LIST = re.compile(r"^( *)[^\s#\-][^\n]*:[ \t]*(?:#[^\n]*)?\n(?:[ \t]*(?:#[^\n]*)?\n)*( *)-( +)\S", re.MULTILINE)
APPEND = "+"
LONGEST_INDEX = 10  # digits: no list is as long as that
LONGEST_SHOWN = 60  # characters of a path in a message


@dataclass(frozen=True, slots=True)
class _Step:
    """One part of a path; ``bracket`` tells ``[0]`` from ``.0``, ``quoted`` ``["0"]`` from both."""

    key: str
    bracket: bool
    quoted: bool = False

    @property
    def position(self) -> bool:
        """Whether it counts entries of a list instead of naming one."""
        return self.bracket and not self.quoted and self.key.isdecimal()

    @property
    def appends(self) -> bool:
        return self.bracket and not self.quoted and self.key == APPEND

    def __str__(self) -> str:
        return f"[{self.key}]" if self.bracket else f".{self.key}"


def entry(section: str, name: str, rest: str) -> str:
    """The path to something of an entry that has a name, whatever is in the name.

    >>> entry("nodeGroups", "general", "maxPods"), entry("nodeGroups", "a]b", "maxPods")
    ('nodeGroups[general].maxPods', 'nodeGroups["a]b"].maxPods')
    """
    plain = name.isprintable() and not re.search(r'[\[\]"=]', name)
    if plain and name == name.strip() and not name.isdecimal() and name != APPEND:
        return f"{section}[{name}].{rest}"
    return f"{section}[{json.dumps(name, ensure_ascii=not name.isprintable())}].{rest}"


def parse_settings(settings: Iterable[str]) -> dict[str, object]:
    """The patch that ``--set PATH=VALUE`` options stand for; values are YAML.

    Raises
    ------
    SpecError
        An option without ``=``, without value, with a value that is not YAML, or a path set twice.

    Examples
    --------
    >>> parse_settings(["cni.env.WARM_IP_TARGET=2", "nodeGroups.general.nodes={min: 3, max: 9}"])
    {'cni.env.WARM_IP_TARGET': '2', 'nodeGroups.general.nodes': {'min': '3', 'max': '9'}}
    """
    patch: dict[str, object] = {}
    for setting in settings:
        found = _SETTING.match(setting)
        path, text = (found[1].strip(), setting[found.end() :]) if found else ("", "")
        if not path:
            raise SpecError(f"--set {setting!r}: expected PATH=VALUE, such as cni.env.WARM_IP_TARGET=2")
        if not text.strip():
            raise SpecError(f"--set {setting!r}: no value after '=' (null deletes the key, '' is the empty text)")
        _steps(path)
        value = parse_yaml(text, f"--set {path}")
        if path.endswith(f"[{APPEND}]") and path in patch:
            earlier = patch[path]
            value = [*(earlier if isinstance(earlier, list) else [earlier]), value]
        elif path in patch:
            raise SpecError(f"--set {path}: is given twice")
        patch[path] = value
    return patch


def apply_patch(document: Section, patch: Mapping[str, object]) -> Section:
    """A copy of a plan's document with the changes made, in their order; lines are kept for messages.

    Raises
    ------
    SpecError
        A path that leads nowhere, with the nearest name.

    Examples
    --------
    >>> document = parse_yaml("vpc: {cidrs: [10.0.0.0/16]}", "plan.yaml")
    >>> apply_patch(document, {"vpc.cidrs[+]": "100.64.0.0/16"})
    {'vpc': {'cidrs': ['10.0.0.0/16', '100.64.0.0/16']}}
    """
    draft = _Draft(document)
    for path, value in patch.items():
        _change(draft, path, value, _decoded)
    found: Section = draft.root
    return found


def read_patched(path: Path | str, patch: Mapping[str, object], catalog: Catalog | None = None) -> Plan:
    """The plan in a file with the changes made; an empty patch changes nothing.

    Raises
    ------
    SpecError
        As :func:`~capacity.plan.parse.read_plan`, naming the changes, any of which may be at fault.
    """
    read = read_plan_file(path)
    return parse_patched(read.document, patch, read.name, catalog)


def parse_patched(
    document: Section, patch: Mapping[str, object], file: str = "", catalog: Catalog | None = None
) -> Plan:
    """The plan in a document already decoded, with the changes made; the document itself stays."""
    if not patch:
        return parse_plan(document, file, catalog)
    changed = apply_patch(document, patch)
    try:
        return parse_plan(changed, file, catalog)
    except SpecError as error:
        raise error.ending(f" (after setting {', '.join(patch)})") from error


def write_patched(source: Path | str | PlanFile, patch: Mapping[str, object], path_out: Path | str) -> None:
    """Write the plan with the changes made; comments and order stay, JSON stays JSON.

    In another folder the plans that its tenants name are named from there.

    Parameters
    ----------
    source : path or PlanFile
        The plan's file; one that was read already is not read again.

    Raises
    ------
    SpecError
        The plan cannot be read, a path leads nowhere, or the file cannot be written.
    """
    plan, target = _read(source), Path(path_out)
    patch = {**patch, **_plans_from(Path(plan.name).parent, target.parent, apply_patch(plan.document, patch))}
    write_file(target, patched_text(plan, patch))


def _read(source: Path | str | PlanFile) -> PlanFile:
    return source if isinstance(source, PlanFile) else read_plan_file(source)


def _plans_from(old: Path, new: Path, document: Section) -> dict[str, object]:
    """A patch of the tenants' relative ``plan`` for a file that moves from one folder to another."""
    tenants = document.get("tenants")
    if old.resolve() == new.resolve() or not isinstance(tenants, list):
        return {}
    named = {i: str(t["plan"]) for i, t in enumerate(tenants) if isinstance(t, Section) and t.get("plan") is not None}
    return {
        f"tenants[{i}].plan": Path(os.path.relpath((old / name).resolve(), new.resolve())).as_posix()
        for i, name in named.items()
        if not Path(name).is_absolute()
    }


def patched_text(source: Path | str | PlanFile, patch: Mapping[str, object]) -> str:
    """The text of a plan with the changes made.

    Raises
    ------
    SpecError
        As :func:`apply_patch`; or the file holds YAML that cannot be rewritten faithfully, such as a
        value that an alias shares with another place.
    """
    plan = _read(source)
    wanted = apply_patch(plan.document, patch)
    new = _json_text(plan.text, patch) if plan.is_json else _yaml_text(plan.text, patch)
    if (parse_json(new, plan.name) if plan.is_json else parse_yaml(new, plan.name)) != wanted:
        raise SpecError(
            f"{plan.name}: cannot be rewritten faithfully (does an alias share a value set here?): edit by hand"
        )
    return new


# --- the walk ---------------------------------------------------------------------------


def _steps(path: str) -> list[_Step]:
    if not path.isprintable():
        raise SpecError(f"{path!r} is not a path (expected something like nodeGroups.general.nodes.max)")
    steps: list[_Step] = []
    at = 0
    while at < len(path):
        match = _STEP.match(path, at)
        if not match or (at == 0 and (path[0] in ".[" or match.group(1) is None)):
            raise SpecError(f"{path!r} is not a path (expected something like nodeGroups.general.nodes.max)")
        word, quoted, bracket = match.groups()
        if word is not None and at and path[at] != ".":
            raise SpecError(f"{path!r} is not a path (a dot is missing before {word!r})")
        if quoted is not None:
            steps.append(_Step(_unquoted(quoted, path), True, True))
        else:
            steps.append(_Step(word if bracket is None else bracket.strip(), bracket is not None))
        at = match.end()
    if not steps:
        raise SpecError("an empty path (expected something like nodeGroups.general.nodes.max)")
    return steps


def _unquoted(text: str, path: str) -> str:
    try:
        found: str = json.loads(text)
    except ValueError:
        raise SpecError(f"{path!r} is not a path ({text} is no name in JSON's quotes)") from None
    return found


class _Document:
    """A document to be changed in place; where names stand in a list is remembered until lists or names change.

    A lever may set something of each of ten thousand workloads: looking each up by its name alone would take minutes.
    """

    def __init__(self, root: Any) -> None:
        self.root = root
        self._positions: dict[int, tuple[Any, dict[str, int]]] = {}  # by id of the list, which is kept

    def enter(self, at: Any, key: str | int) -> Any:
        """The value at a key, to be changed."""
        return at[key]

    def position(self, items: Any, name: str) -> int | None:
        """Where the first entry of that name stands in a list."""
        known = self._positions.get(id(items))
        if known is None:
            names: dict[str, int] = {}
            for i, item in enumerate(items):
                own = item.get("name") if isinstance(item, dict) else item
                if isinstance(own, int) and not isinstance(own, bool):
                    own = str(own)  # a name of digits, as a file may have it without quotes
                if isinstance(own, str):
                    names.setdefault(own, i)
            known = self._positions[id(items)] = (items, names)
        return known[1].get(name)

    def moved(self) -> None:
        """Forget the positions."""
        self._positions.clear()


class _Draft(_Document):
    """A changed copy of a document: what a change passes through is copied, the rest is shared with the original.

    An alias is one value in two places; as each place on the way gets a copy of its own, a change reaches one only.
    """

    def __init__(self, root: Any) -> None:
        super().__init__(_copied(root))
        self._own: dict[int, Any] = {}  # copies made, by id

    def enter(self, at: Any, key: str | int) -> Any:
        inner = at[key]
        if id(inner) not in self._own:
            inner = at[key] = _copied(inner)
            self._own[id(inner)] = inner
        return inner


def _change(document: _Document, path: str, value: object, shape: Callable[[object, int | None, str], Any]) -> None:
    """Make one change in place. ``shape`` turns a value into what the document holds."""
    steps = _steps(path)
    at, done = document.root, ""
    for step, following in pairwise(steps):
        key = _find(document, at, step, done, path)
        if key is None or at[key] is None:
            if value is None:
                raise SpecError(f"{path}: there is nothing to delete{did_you_mean(step.key, _known(at))}")
            key = _make(
                at,
                step,
                [] if following.appends else {},
                shape,
                path,
            )
        done = f"{done}[{key}]" if isinstance(key, int) else f"{done}.{key}".lstrip(".")
        at = document.enter(at, key)
    last = steps[-1]
    if isinstance(at, list) and last.appends:
        document.moved()
        _append(at, value, shape, path)
        return
    key = _find(document, at, last, done, path)
    if isinstance(at, list) or last.key == "name":
        document.moved()
    if value is None:
        if key is None:
            raise SpecError(f"{path}: there is nothing to delete{did_you_mean(last.key, _known(at))}")
        _delete(at, key)
    elif key is None:
        _make(at, last, value, shape, path)
    else:
        at[key] = shape(value, _line(at, key), path)


def _find(document: _Document, at: Any, step: _Step, done: str, path: str) -> str | int | None:
    """Key or position of a step; None where a mapping lacks it."""
    if isinstance(at, list):
        if step.position:
            position = int(step.key) if len(step.key) < LONGEST_INDEX else len(at)
            if position >= len(at):
                raise SpecError(f"{_cut(path)}: there is no entry [{_cut(step.key)}] in {done} (it has {len(at)})")
            return position
        found = document.position(at, step.key)
        if found is None:
            known = _known(at)
            hint = did_you_mean(step.key, known) or (f" (there: {', '.join(known[:8])})" if known else " (it is empty)")
            raise SpecError(f"{path}: there is no {step.key!r} in {done}{hint}")
        return found
    if not isinstance(at, dict):
        raise SpecError(f"{path}: {done} is {kind_of(at)}, one value; set it as a whole ({done}=...)")
    if step.appends or step.position:
        raise SpecError(f"{path}: {done} is a mapping, not a list")
    return step.key if step.key in at else None


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"


def _make(at: Any, step: _Step, value: object, shape: Callable[[object, int | None, str], Any], path: str) -> str:
    assert isinstance(at, dict)  # _find refused everything else
    at[step.key] = shape(value, _line(at, step.key), path)
    return step.key


def _append(items: Any, value: object, shape: Callable[[object, int | None, str], Any], path: str) -> None:
    if value is None:
        raise SpecError(f"{path}: null cannot be appended")
    line = getattr(items, "line", None)
    for entry in value if isinstance(value, list) else [value]:
        items.append(shape(entry, line, path))
        if line is not None and hasattr(items, "lines"):
            items.lines.append(line)


def _delete(at: Any, key: Any) -> None:
    lines = getattr(at, "lines", None)
    del at[key]
    if isinstance(lines, dict):
        lines.pop(key, None)
    elif isinstance(lines, list) and lines:
        del lines[key]


def _line(at: Any, key: str | int) -> int | None:
    lines = getattr(at, "lines", None)
    own: int | None = None
    if isinstance(lines, dict):
        own = lines.get(str(key))
    elif isinstance(lines, list) and isinstance(key, int) and key < len(lines):
        own = lines[key]
    return own if own is not None else getattr(at, "line", None)


def _known(at: Any) -> list[str]:
    if isinstance(at, dict):
        return [str(k) for k in at]
    names = [item.get("name") if isinstance(item, dict) else item for item in at]
    return [n for n in names if isinstance(n, str)]


# --- values -----------------------------------------------------------------------------


def _copied(value: Any) -> Any:
    """A mapping or a list with the same values in it; anything else as it is."""
    if isinstance(value, dict):
        section = Section(getattr(value, "line", None))
        section.lines = dict(getattr(value, "lines", {}))
        section.update(value)
        return section
    if isinstance(value, list):
        items = EntryList(getattr(value, "line", None))
        items.lines = list(getattr(value, "lines", ()))
        items.extend(value)
        return items
    return value


def _decoded(value: object, line: int | None, path: str) -> Any:
    """A value as a document holds it: scalars as text, every part on the line of the place it goes to."""
    if isinstance(value, Mapping):
        section = Section(line)
        for key, inner in value.items():
            section[str(key)] = _decoded(inner, line, path)
            if line is not None:
                section.lines[str(key)] = line
        return section
    if isinstance(value, (list, tuple)):
        items = EntryList(line)
        items.extend(_decoded(inner, line, path) for inner in value)
        items.lines = [] if line is None else [line] * len(items)
        return items
    return _text(value, path)


def _text(value: object, path: str) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Fraction):
        value = float(value)
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, int):
        return str(value)
    raise SpecError(f"{path}: a plan cannot hold {type(value).__name__}")


def _native(value: object, line: int | None, path: str) -> Any:
    """A value as a person writes it in a file: whole numbers bare, the CNI's variables as text."""
    if isinstance(value, Mapping):
        return {str(k): _native(v, line, f"{path}.{k}") for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_native(v, line, path) for v in value]
    text = _text(value, path)
    if text is None or path.startswith("cni.env.") or not _INTEGER.match(text):
        return text
    return int(text)


# --- files ------------------------------------------------------------------------------


def _json_text(text: str, patch: Mapping[str, object]) -> str:
    document = _Document(json.loads(text, parse_float=str))  # 1.30 is not 1.3
    for path, value in patch.items():
        _change(document, path, value, _native)
    return json.dumps(document.root, indent=2, ensure_ascii=False) + "\n"


def _yaml_text(text: str, patch: Mapping[str, object]) -> str:
    import io

    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    yaml = YAML()  # the round-trip loader: comments, order, quotes and flow style stay
    yaml.preserve_quotes = True
    yaml.width = 1_000_000
    yaml.indent(**_indents(text))
    out = io.StringIO()
    try:
        document = _Document(yaml.load(text))
        for path, value in patch.items():
            _change(document, path, value, _flow)
        yaml.dump(document.root, out)
    except (YAMLError, KeyError):  # KeyError: a key that only a merge (<<) brings cannot be deleted
        return ""
    return out.getvalue()


def _flow(value: object, line: int | None, path: str) -> Any:
    """As :func:`_native`, mappings and lists on one line, the CNI's variables and unusual text in double quotes."""
    from ruamel.yaml.comments import CommentedMap, CommentedSeq
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString

    native = _native(value, line, path)

    def styled(part: Any, inside: str) -> Any:
        if isinstance(part, dict):
            flow = CommentedMap((styled(k, ""), styled(v, f"{inside}.{k}")) for k, v in part.items())
            if part:
                flow.fa.set_flow_style()
            return flow
        if isinstance(part, list):
            items = CommentedSeq(styled(v, inside) for v in part)
            if part:
                items.fa.set_flow_style()
            return items
        if isinstance(part, str) and (inside.startswith("cni.env.") or not _BARE.match(part)):
            return DoubleQuotedScalarString(part)  # libyaml reads less bare text than ruamel writes
        return part

    return styled(native, path)


def _indents(text: str) -> dict[str, int]:
    """How the file indents the entries of its lists."""
    match = re.search(
        r"^( *)[^\s#\-][^\n]*:[ \t]*(?:#[^\n]*)?\n(?:[ \t]*(?:#[^\n]*)?\n)*( *)-( +)\S", text, re.MULTILINE
    )
    if not match or len(match.group(2)) < len(match.group(1)):
        return {"mapping": 2, "sequence": 4, "offset": 2}
    offset = len(match.group(2)) - len(match.group(1))
    return {"mapping": 2, "sequence": offset + 1 + len(match.group(3)), "offset": offset}
