"""Evaluate the blocks of a Terraform module on demand: variables, locals, resources, data sources, module calls."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from capacity.errors import SpecError
from capacity.files import read_bytes
from capacity.readers.decode import decode, file_name
from capacity.readers.draft import SourceNotes
from capacity.readers.terraform.expression import (
    Budget,
    Scope,
    evaluate,
    evaluate_parsed,
    evaluate_template,
    too_large,
)
from capacity.readers.terraform.rendered import RENDERED
from capacity.readers.terraform.resource import Resource
from capacity.readers.terraform.source_blocks import (
    SourceBlocks,
    TemplateText,
    blocks_of,
    heredoc,
    is_mark,
    parsed_text,
)
from capacity.readers.terraform.value import (
    FAILED,
    UNKNOWN,
    Open,
    OpenList,
    PartText,
    Unknown,
    known_parts,
    marks_of,
    number_of_value,
    partial_texts,
    unknown_paths,
    unquoted,
)
from capacity.readers.terraform.variable_types import converted, type_tree
from capacity.readers.values import mapping

MOST_INSTANCES = 1000  # of one resource
MOST_EVALUATIONS = 200_000  # of variables, locals, resources and calls of a file
ASSUMED_ZONES = "abcdef"  # letters of a region's zones, if they are not in the input
LARGEST_FILE = 1_000_000  # characters, of `file` and `templatefile`
_LAUNCH = ("aws_launch_template", "aws_launch_configuration")
_META = frozenset(("count", "for_each", "provider", "depends_on", "lifecycle"))
_META_OF_CALLS = frozenset(("count", "for_each", "providers", "depends_on", "source", "version"))


@dataclass
class Work:
    """What the modules of one import share: limits, the folder of the root module, and cycles met so far."""

    root: Path | None = None
    budget: Budget = field(default_factory=Budget)
    evaluations: int = 0
    cycles: int = 0


@dataclass(frozen=True)
class Called:
    """A module call: the resources it creates, and its outputs."""

    resources: tuple[Resource, ...] = ()
    outputs: Any = UNKNOWN


class OpenCall(Protocol):
    """Reads one instance of a module call; ``given`` are its evaluated arguments."""

    def __call__(self, module: Module, name: str, index: object, body: Any, given: dict[str, Any]) -> Called: ...


class Lazy(Open):
    """A mapping whose values are evaluated when they are first used."""

    def __init__(self, names: Mapping[str, Any], make: Callable[[str], Any]) -> None:
        super().__init__()
        self.names = names
        self.make = make

    def get(self, key: object, default: object = None) -> Any:  # noqa: ARG002 (an absent key fails)
        return self.make(str(key)) if str(key) in self.names else FAILED


@dataclass
class Module:
    """The blocks of one module, with the values that its caller gives it.

    ``path`` are the names of the calls around it, with their keys; ``folder`` is relative to the root module.
    """

    blocks: SourceBlocks
    said: SourceNotes
    open_call: OpenCall
    work: Work = field(default_factory=Work)
    path: tuple[str, ...] = ()
    folder: str = "."
    given: Mapping[str, Any] = field(default_factory=dict)
    region: str | None = None
    values: dict[tuple[str, ...], Any] = field(default_factory=dict)
    busy: set[tuple[str, ...]] = field(default_factory=set)

    def once(self, key: tuple[str, ...], make: Callable[[], Any]) -> Any:
        """Value of a block. In a cycle it is unknown, and what depends on the cycle is evaluated again."""
        if key in self.values:
            return self.values[key]
        if key in self.busy:
            self.work.cycles += 1
            return UNKNOWN
        self.work.evaluations += 1
        if self.work.evaluations > MOST_EVALUATIONS:
            return UNKNOWN
        before = self.work.cycles
        self.busy.add(key)
        try:
            value = make()
        finally:
            self.busy.discard(key)
        if isinstance(value, (list, dict, str)) and too_large(value):
            value = UNKNOWN
        if self.work.cycles == before or not self.busy:
            self.values[key] = value
        return value

    # --- expressions --------------------------------------------------------------------------

    def value(self, raw: object, scope: Scope | None = None) -> Any:
        """Evaluate a value of python-hcl2 or JSON syntax; unknown parts stay unknown."""
        if isinstance(raw, dict):
            return self.block(raw, scope)
        if isinstance(raw, list):
            return [self.value(v, scope) for v in raw]
        if isinstance(raw, float):
            return number_of_value(raw)
        if not isinstance(raw, str):
            return raw
        context = (self.look, scope, self.work.budget, self.files)
        text = raw if isinstance(raw, TemplateText) else heredoc(raw)
        if text is not None:
            return evaluate_template(text, *context)
        if raw.startswith("${") and raw.endswith("}"):
            return evaluate(raw[2:-1], *context)
        return evaluate(raw, *context) if raw.startswith('"') and raw.endswith('"') and len(raw) > 1 else raw

    def block(self, raw: Mapping[str, Any], scope: Scope | None = None) -> dict[str, Any]:
        """Evaluate a mapping or a block; dynamic blocks become ordinary ones."""
        found: dict[str, Any] = {}
        unclear = False
        for key, inner in raw.items():
            name = unquoted(key)
            if is_mark(key):
                continue
            if name == "dynamic" and all(isinstance(b, dict) for b in blocks_of(inner)) and blocks_of(inner):
                for label, body in ((k, v) for b in blocks_of(inner) for k, v in b.items() if not is_mark(k)):
                    self._dynamic(found, unquoted(label), mapping(body), scope or {})
                continue
            if "${" in name:
                text = self.value(TemplateText(name), scope)
                unclear = unclear or not isinstance(text, str)
                name = text if isinstance(text, str) else name
            found[name] = self.value(inner, scope)
        return Open(found) if unclear else found

    def _dynamic(self, found: dict[str, Any], label: str, body: Mapping[str, Any], scope: Scope) -> None:
        """Add the blocks of a dynamic block: one for each element, as ``for_each`` and ``content`` say."""
        pairs = _pairs(self.value(body.get("for_each"), scope))
        if pairs is None or isinstance(found.get(label), Unknown):
            found[label] = UNKNOWN
            return
        iterator = unquoted(str(body["iterator"])).removeprefix("${").removesuffix("}") if "iterator" in body else label
        made = found.setdefault(label, [])
        for key, element in pairs[:MOST_INSTANCES]:
            inner = {**scope, iterator: {"key": key, "value": element}}
            for content in blocks_of(body.get("content")):
                made.append(self.value(content, inner))

    def look(self, name: str, _: Scope) -> Any:
        """Value of a root name."""
        blocks = self.blocks
        if name == "var":
            return Lazy(blocks.variables, self.variable)
        if name == "local":
            return Lazy(blocks.locals, self.local)
        if name == "path":
            return {"module": self.folder, "root": ".", "cwd": UNKNOWN}
        if name == "module":
            return Lazy(blocks.calls, self.outputs)
        if name == "data":
            kinds = {kind: kind for kind, _ in blocks.data}
            return Lazy(kinds, lambda kind: Lazy({n: n for k, n in blocks.data if k == kind}, self._data_of(kind)))
        names = {n: n for k, n in blocks.resources if k == name}
        return Lazy(names, lambda one: self.reference(name, one)) if names else UNKNOWN

    def files(self, name: str, values: list[Any]) -> Any:
        """Result of ``file``, ``filebase64`` or ``templatefile``, for files inside the folder of the root module."""
        root = self.work.root
        if root is None or not values or not isinstance(values[0], str):
            return UNKNOWN
        path = (root / values[0]).resolve()
        if not path.is_relative_to(root.resolve()) or not path.is_file():
            return UNKNOWN
        try:
            text = decode(read_bytes(str(path)), file_name(str(path)))
        except SpecError:
            return UNKNOWN
        if len(text) > LARGEST_FILE:
            return UNKNOWN
        if name == "file":
            return text
        if name == "filebase64":
            return base64.b64encode(text.encode()).decode()
        given = values[1] if len(values) > 1 and isinstance(values[1], dict) else {}
        return evaluate_template(text, lambda _, __: UNKNOWN, given, self.work.budget)

    # --- blocks -------------------------------------------------------------------------------

    def variable(self, name: str) -> Any:
        return self.once(("var", name), lambda: self._variable(name))

    def _variable(self, name: str) -> Any:
        body = self.blocks.variables[name]
        tree = type_tree(body.get("type"))
        value: Any = UNKNOWN
        if name in self.given:
            value = self.given[name]
        elif name in self.blocks.given:
            value = _typed(self.blocks.given[name], tree)
        elif name in self.blocks.values:
            value = self.value(self.blocks.values[name])
        elif "default" in body:
            value = self.value(body["default"])
        if value is None and self.value(body.get("nullable")) is False:
            value = self.value(body.get("default"))
        return converted(value, tree, evaluate_parsed)

    def local(self, name: str) -> Any:
        return self.once(("local", name), lambda: self.value(self.blocks.locals[name]))

    def outputs(self, name: str) -> Any:
        """Outputs of a module call: of all its instances if it has ``count`` or ``for_each``."""
        calls: list[tuple[object, Called]] = self.once(("module", name), lambda: self._calls(name)) or []
        if isinstance(calls, Unknown):
            return UNKNOWN
        return keyed([(index, called.outputs) for index, called in calls])

    def called(self, name: str) -> tuple[Resource, ...]:
        """Resources of a module call."""
        calls = self.once(("module", name), lambda: self._calls(name))
        return () if isinstance(calls, Unknown) else tuple(r for _, called in calls for r in called.resources)

    def _calls(self, name: str) -> list[tuple[object, Called]]:
        body = self.blocks.calls[name]
        made = []
        for index, scope in self.expanded(f"module.{name}", body):
            given = self.block({k: v for k, v in body.items() if k not in _META_OF_CALLS}, scope)
            made.append((index, self.open_call(self, name, index, body, given)))
        return made

    def instances(self, kind: str, name: str) -> list[Resource]:
        """Instances of a resource by ``count`` or ``for_each``."""
        found = self.once((kind, name), lambda: self._instances(kind, name, self.blocks.resources[kind, name]))
        return [] if isinstance(found, Unknown) else list(found)

    def _instances(self, kind: str, name: str, body: Any, *, managed: bool = True) -> list[Resource]:
        address = ".".join((*(f"module.{p}" for p in self.path), *(() if managed else ("data",)), kind, name))
        made = []
        for index, scope in self.expanded(address, mapping(body)):
            raw = {k: v for k, v in mapping(body).items() if k not in _META}
            whole = self.block(raw, scope)
            if not managed and kind in RENDERED:
                whole["rendered"] = RENDERED[kind](whole, self.work.budget)
            values, unclear = known_parts(whole), tuple(unknown_paths(whole))
            here = f"{address}{_suffix(index)}"
            if managed and kind in ("aws_subnet", "aws_vpc", *_LAUNCH):
                values = {**values, "id": here}
            if managed and kind in _LAUNCH and not values.get("name"):
                values["name"] = here  # Terraform gives it a name, by which groups refer to it
            partial = partial_texts(whole)
            made.append(
                Resource(here, kind, name, self.path, index, values, marks_of(whole), managed, unclear, partial)
            )
        return made

    def reference(self, kind: str, name: str) -> Any:
        """A resource in expressions: a list if it has ``count``, a mapping if it has ``for_each``."""
        return keyed([(r.index, Open({"id": identity_of(r), **r.values})) for r in self.instances(kind, name)])

    def data(self, kind: str, name: str) -> list[Resource]:
        """Instances of a data source, with the arguments that identify it."""
        found = self.once(
            ("data", kind, name), lambda: self._instances(kind, name, self.blocks.data[kind, name], managed=False)
        )
        return [] if isinstance(found, Unknown) else list(found)

    def _data_of(self, kind: str) -> Callable[[str], Any]:
        def one(name: str) -> Any:
            if kind == "aws_region":
                return Open(dict.fromkeys(("name", "id", "region"), self.region or UNKNOWN))
            if kind == "aws_availability_zones":
                return Open({"names": self.once(("zones",), lambda: self._zones(name))})
            return keyed([(r.index, _attributes(r)) for r in self.data(kind, name)])

        return one

    def _zones(self, name: str) -> OpenList:
        zones = OpenList(f"{self.region or 'zone-'}{letter}" for letter in ASSUMED_ZONES)
        text = f"the zones of the account are not in the input: assumed {', '.join(zones[:3])} and so on"
        self.said.say(f"data.aws_availability_zones.{name}", text, "vpc.subnets")
        return zones

    def expanded(self, address: str, body: Mapping[str, Any]) -> list[tuple[Any, dict[str, Any]]]:
        """Indexes and scopes of the instances of a block."""
        if "count" in body:
            count = self.value(body["count"])
            if isinstance(count, bool) or not isinstance(count, (int, str)) or not str(count).isdigit():
                self.said.say(address, "its count is not known: assumed 1")
                count = 1
            self.say_cut(address, int(count))
            return [(i, {"count": {"index": i}}) for i in range(min(int(count), MOST_INSTANCES))]
        if "for_each" in body:
            pairs = _pairs(self.value(body["for_each"]))
            if pairs is None:
                self.said.say(address, "its for_each is not known: assumed one")
                return [(None, {})]
            self.say_cut(address, len(pairs))
            return [(str(k), {"each": {"key": k, "value": v}}) for k, v in pairs[:MOST_INSTANCES]]
        return [(None, {})]

    def say_cut(self, address: str, count: int) -> None:
        """Note that only some of many instances are read."""
        if count > MOST_INSTANCES:
            self.said.leave_out(address, f"the first {MOST_INSTANCES:,} of {count:,} are read")


def _attributes(resource: Resource) -> Open:
    return Open({**resource.values, **{k: PartText(text) for k, text in resource.partial.items() if "." not in k}})


def _suffix(index: object) -> str:
    return "" if index is None else f"[{index}]" if isinstance(index, int) else f'["{index}"]'


def _pairs(over: object) -> list[tuple[Any, Any]] | None:
    """Keys and values of ``for_each``; of a set or list each value is its own key. None if they are not known."""
    if isinstance(over, (Open, OpenList)):
        return None
    if isinstance(over, dict):
        return sorted(over.items())
    if isinstance(over, list) and not any(isinstance(v, Unknown) for v in over):
        return [(v if isinstance(v, (str, int)) else i, v) for i, v in enumerate(over)]
    return None


def keyed(pairs: list[tuple[object, Any]]) -> Any:
    """Instances as expressions see them: one value, a list by ``count``, or a mapping by ``for_each``."""
    if pairs and isinstance(pairs[0][0], str):
        return {str(index): value for index, value in pairs}
    if len(pairs) == 1 and pairs[0][0] is None:
        return pairs[0][1]
    return [value for _, value in pairs]


def identity_of(resource: Resource) -> str:
    """The ``id`` of a resource: the name of a cluster, else its address, because AWS has not given it an ID."""
    name = resource.values.get("name")
    return name if resource.type == "aws_eks_cluster" and isinstance(name, str) else resource.address


def _typed(text: str, tree: Any) -> Any:
    """Value of ``--var``: text for a simple type, an expression for a list or a map."""
    if tree is None or tree[0] == "name":
        return text
    literal = parsed_text(f"value = {text}", "--var").get("value")
    return Module(SourceBlocks(), SourceNotes(""), _no_calls).value(literal)


def _no_calls(module: Module, name: str, index: object, body: Any, given: dict[str, Any]) -> Called:  # noqa: ARG001
    return Called()
