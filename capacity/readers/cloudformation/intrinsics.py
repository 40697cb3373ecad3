"""Evaluate CloudFormation functions as far as a template alone allows.

A value that depends on more (a parameter without default, another stack, an account) becomes :class:`Unresolved`,
with the reason. Functions: AWS CloudFormation user guide, intrinsic function reference (read 2026-11-25).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from typing import Any

from capacity.readers.cloudformation.exports import IMPORT, Export, found_export
from capacity.readers.cloudformation.loops import LOOP, unrolled
from capacity.readers.cloudformation.partial_values import Pieces, ToResource, Unresolved, joined_text, unknown_in
from capacity.readers.values import block_of, int_of, items, mapping

DEEPEST = 60
STACK = "AWS::CloudFormation::Stack"
_RESOLVE = re.compile(r"\{\{resolve:(?:ssm:(?P<ssm>[^:}]+)|)")
_ZONES = "abcdef"


NO_VALUE = None


@dataclass
class Resolver:
    """Evaluates the values of one template.

    Attributes
    ----------
    scope : str
        Path of a nested stack, with a dot at its end (``Network.``); empty for a root.
    parent : Resolver or None
        The template that creates this one as a nested stack, with ``given`` parameters, not evaluated.
    children : dict
        Nested stacks whose templates are known, by logical ID.
    exports : sequence of Export
        Exports of the templates that are read together.
    alike : dict
        Imports that were found by the end of their name, with the output.
    """

    template: Mapping[str, Any]
    region: str | None = None
    scope: str = ""
    parent: Resolver | None = None
    given: Mapping[str, Any] = field(default_factory=dict)
    children: dict[str, Resolver] = field(default_factory=dict)
    zones_guessed: bool = False
    open_loops: dict[str, str] = field(default_factory=dict)
    exports: Sequence[Export] = ()
    alike: dict[str, str] = field(default_factory=dict)
    _busy: set[str] = field(default_factory=set)
    _sections: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def resources(self) -> Mapping[str, Any]:
        """The template's resources by name, with loops unrolled."""
        return self._section("Resources")

    @property
    def outputs(self) -> Mapping[str, Any]:
        """The template's outputs by name, with loops unrolled."""
        return self._section("Outputs")

    def _section(self, name: str) -> Mapping[str, Any]:
        if name not in self._sections:
            self._sections[name] = mapping(self.template.get(name))  # while a loop's collection is evaluated
            self._sections[name] = self._unrolled(self._sections[name])
        return self._sections[name]

    def _unrolled(self, section: Mapping[str, Any]) -> Mapping[str, Any]:
        """A section with its loops unrolled; those over an unknown collection are in ``open_loops``."""
        return unrolled(section, self.value, self.open_loops)

    def output(self, name: str, depth: int = 0) -> Any:
        """Value of an output of the template."""
        raw = mapping(self.outputs.get(name)).get("Value")
        key = f"Outputs.{name}"
        if raw is None or key in self._busy:
            return Unresolved(f"the nested stack {self.scope.rstrip('.')} has no output {name}")
        self._busy.add(key)
        try:
            return self.value(raw, depth + 1)
        finally:
            self._busy.discard(key)

    def value(self, raw: object, depth: int = 0) -> Any:
        """The value with every function in it evaluated."""
        if depth > DEEPEST:
            return Unresolved("nested too deeply")
        if isinstance(raw, list):
            return [self.value(v, depth + 1) for v in raw]
        if not isinstance(raw, dict):
            if isinstance(raw, str) and (looked_up := _RESOLVE.search(raw)):
                return Unresolved("is looked up when the stack is created", ssm=looked_up["ssm"] or "")
            return raw
        if any(key.startswith(LOOP) for key in raw):
            raw = self._unrolled(raw)
        if len(raw) == 1:
            name, argument = next(iter(raw.items()))
            if name == "Ref":
                return self.ref(str(argument), depth)
            function = _FUNCTIONS.get(name)
            if function is not None:
                return function(self, argument, depth + 1)
            if name.startswith("Fn::"):
                return Unresolved(f"{name} is not evaluated")
        return {k: self.value(v, depth + 1) for k, v in raw.items()}

    def ref(self, name: str, depth: int) -> Any:
        """``Ref``: a resource, a pseudo parameter, or a parameter's default."""
        if name == "AWS::NoValue":
            return NO_VALUE
        if name == "AWS::Region":
            return self.region or Unresolved("depends on the region")
        if name == "AWS::Partition":
            return "aws"
        if name.startswith("AWS::"):
            return Unresolved(f"{name} is known only in the account")
        if name in mapping(self.template.get("Parameters")):
            return self._parameter(name, mapping(self.template["Parameters"].get(name)), depth)
        if name in self.resources:
            return ToResource(self.scope + name)
        return Unresolved(f"{name} is not in the template")

    def _parameter(self, name: str, parameter: Mapping[str, Any], depth: int) -> Any:
        """Value of a parameter: what the parent gives, else the default."""
        kind = str(parameter.get("Type") or "")
        if self.parent is not None and name in self.given:
            value = self.parent.value(self.given[name], depth + 1)
        else:
            value = parameter.get("Default")
        if value is None or value == "":
            return Unresolved(f"the parameter {name} has no default")
        if kind.startswith("AWS::SSM::"):
            return Unresolved(f"the parameter {name} is looked up when the stack is created", ssm=str(value))
        if "List" in kind and not isinstance(value, (list, Unresolved)):
            if isinstance(value, ToResource):
                return [value]
            parts = value.split(",") if isinstance(value, Pieces) else str(value).split(",")
            return [part.strip() if isinstance(part, str) else part for part in parts]
        return value if isinstance(value, (list, Pieces, ToResource, Unresolved)) else self.value(value, depth + 1)

    def holds(self, name: object, depth: int = 0) -> bool | Unresolved:
        """A condition by name."""
        key = str(name)
        raw = mapping(self.template.get("Conditions")).get(key)
        if raw is None or key in self._busy:
            return Unresolved(f"the condition {key} is not in the template")
        self._busy.add(key)
        try:
            return self.truth(raw, depth + 1)
        finally:
            self._busy.discard(key)

    def truth(self, raw: object, depth: int) -> bool | Unresolved:
        """Value of a condition; unresolved if it depends on the deployment."""
        if isinstance(raw, dict) and len(raw) == 1 and depth < DEEPEST:
            name, argument = next(iter(raw.items()))
            if name == "Condition":
                return self.holds(argument, depth)
            if name == "Fn::Not":
                inner = self.truth(items(argument)[0] if items(argument) else argument, depth + 1)
                return inner if isinstance(inner, Unresolved) else not inner
            if name in ("Fn::And", "Fn::Or"):
                return self._all_or_any(name, [self.truth(a, depth + 1) for a in items(argument)])
            if name == "Fn::Equals":
                return self._equals(argument, depth)
        return Unresolved("the condition depends on the deployment")

    def _all_or_any(self, name: str, parts: list[bool | Unresolved]) -> bool | Unresolved:
        deciding = name == "Fn::Or"  # one True decides Or, one False decides And
        if deciding in [p for p in parts if isinstance(p, bool)]:
            return deciding
        open_part = next((p for p in parts if isinstance(p, Unresolved)), None)
        return open_part if open_part is not None else not deciding

    def _equals(self, argument: object, depth: int) -> bool | Unresolved:
        sides = [self._parameter_text(a, depth) for a in items(argument)]
        if len(sides) != 2:
            return Unresolved("Fn::Equals requires two values")
        for side in sides:
            if (open_part := unknown_in(side)) is not None:
                return open_part
            if isinstance(side, (ToResource, Pieces)):
                return Unresolved("compares a resource")
        return str(sides[0]) == str(sides[1])

    def _parameter_text(self, raw: object, depth: int) -> Any:
        """A value in a comparison: here a parameter whose default is empty text is known to be that."""
        if isinstance(raw, dict) and set(raw) == {"Ref"} and str(raw["Ref"]) not in self.given:
            parameter = mapping(mapping(self.template.get("Parameters")).get(str(raw["Ref"])))
            if parameter.get("Default") == "":
                return ""
        return self.value(raw, depth + 1)

    def imported(self, argument: object, depth: int) -> Any:
        """``Fn::ImportValue``: the output of another template of the input, if one exports it."""
        name = self.value(argument, depth)
        export = found_export(name, self.exports)
        if export is None or export.resolver is self:
            return Unresolved(f"is exported by another stack ({_words(argument)})")
        if not export.name:
            self.alike[_words(argument)] = f"{export.resolver.scope}{export.output}"
        return export.resolver.output(export.output, depth)

    # --- functions --------------------------------------------------------------------------

    def sub(self, argument: object, depth: int) -> Any:
        """``Fn::Sub``: text with its placeholders filled."""
        text: Any = argument
        own: Any = {}
        if isinstance(argument, list) and argument:
            text, own = argument[0], mapping(argument[1]) if len(argument) > 1 else {}
        if not isinstance(text, str):
            return Unresolved("Fn::Sub without text")
        missing: list[str] = []
        parts: list[str | ToResource] = []
        at = 0
        for match in re.finditer(r"\$\{([^}]+)\}", text):
            name = match[1].strip()
            parts.append(text[at : match.start()])
            at = match.end()
            if name.startswith("!"):
                parts.append("${" + name[1:] + "}")
                continue
            value = self.value(own[name], depth) if name in own else self._named(name, depth)
            if isinstance(value, ToResource):
                parts.append(value)
            elif isinstance(value, Pieces):
                parts += value.parts
            elif isinstance(value, (Unresolved, dict, list)) or value is None:
                missing.append(name)
                parts.append(match[0])
            else:
                parts.append(str(value))
        parts.append(text[at:])
        if missing:
            return Unresolved(f"{missing[0]} is not known", text=Pieces(tuple(parts)).text)
        return joined_text(parts)

    def _named(self, name: str, depth: int) -> Any:
        if "." in name:
            return self.get_att(name.split(".", 1), depth)
        return self.ref(name, depth)

    def join(self, argument: Any, depth: int) -> Any:
        """``Fn::Join``: a list as one text."""
        parts = self.value(items(argument)[1], depth) if len(items(argument)) == 2 else Unresolved("Fn::Join")
        if isinstance(parts, (Unresolved, ToResource)) or not isinstance(parts, list):
            return parts if isinstance(parts, Unresolved) else Unresolved("the second value of Fn::Join is not a list")
        mark = self.value(argument[0], depth)
        if not isinstance(mark, (str, int)):
            return _open(mark, "the first value of Fn::Join is not text")
        known = [p for p in parts if p is not None]
        pieces: list[str | ToResource] = []
        for i, part in enumerate(known):
            pieces += [str(mark)] if i else []
            if isinstance(part, (ToResource, Pieces)):
                pieces += part.parts if isinstance(part, Pieces) else [part]
            elif not isinstance(part, Unresolved):
                pieces.append(str(part))
        unknown = next((p for p in known if isinstance(p, (Unresolved, dict, list))), None)
        if unknown is not None:
            why = unknown.why if isinstance(unknown, Unresolved) else "joins a value that is not text"
            return Unresolved(why, text=Pieces(tuple(pieces)).text)
        return joined_text(pieces)

    def split(self, argument: Any, depth: int) -> Any:
        """``Fn::Split``: a text as a list."""
        if len(items(argument)) != 2:
            return Unresolved("Fn::Split requires two values")
        mark, text = self.value(argument[0], depth), self.value(argument[1], depth)
        if not isinstance(mark, str) or not mark:
            return _open(mark, "the first value of Fn::Split is not text")
        return (
            text.split(mark)
            if isinstance(text, (str, Pieces))
            else _open(text, "the second value of Fn::Split is not text")
        )

    def select(self, argument: Any, depth: int) -> Any:
        """``Fn::Select``: one of a list, counted from 0."""
        if len(items(argument)) != 2:
            return Unresolved("Fn::Select requires two values")
        index, choices = int_of(self.value(argument[0], depth)), self.value(argument[1], depth)
        if not isinstance(choices, list) or index is None:
            return _open(choices, "the second value of Fn::Select is not a list")
        return choices[index] if index < len(choices) else Unresolved(f"Fn::Select {index} is beyond the list")

    def find_in_map(self, argument: object, depth: int) -> Any:
        """``Fn::FindInMap``: a value of the template's mappings."""
        keys = self.value(argument, depth)
        if not isinstance(keys, list) or len(keys) < 3:
            return Unresolved("Fn::FindInMap requires three values")
        here: Any = mapping(self.template.get("Mappings")).get(str(keys[0]))
        for key in keys[1:3]:
            if isinstance(key, Unresolved):
                return key
            here = mapping(here).get(str(key))
        return self.value(here, depth) if here is not None else Unresolved("the mapping has no such entry")

    def choose(self, argument: Any, depth: int) -> Any:
        """``Fn::If``: one of two values; both where the condition is open and they are the same."""
        if len(items(argument)) != 3:
            return Unresolved("Fn::If requires three values")
        held = self.holds(argument[0], depth)
        if isinstance(held, Unresolved):
            either = [self.value(a, depth) for a in argument[1:]]
            return either[0] if either[0] == either[1] else held
        return self.value(argument[1 if held else 2], depth)

    def zones(self, argument: object, depth: int) -> Any:
        """``Fn::GetAZs``: names after the region's; which letters a region has is guessed, and said."""
        stated = self.value(argument, depth)
        region = stated if isinstance(stated, str) and stated else self.region
        self.zones_guessed = True
        return [f"{region or 'zone-'}{letter}" for letter in _ZONES]

    def cidr(self, argument: object, depth: int) -> Any:
        """``Fn::Cidr``: a number of consecutive blocks with a number of host bits."""
        parts = self.value(argument, depth)
        if not isinstance(parts, list) or len(parts) < 2:
            return _open(parts, "Fn::Cidr requires a block and a count")
        block, count = block_of(parts[0]), int_of(parts[1], 1, 256)
        bits = int_of(parts[2]) if len(parts) > 2 else 8
        if block is None or count is None or bits is None or not 0 <= 32 - bits - block.prefixlen <= 8:
            return _open(parts[0], "the first value of Fn::Cidr is not a block")
        size = 2**bits
        first = int(block.network_address)
        found = [IPv4Network((first + i * size, 32 - bits)) for i in range(count)]
        if not found[-1].subnet_of(block):
            return Unresolved("Fn::Cidr requests more than the block contains")
        return [str(b) for b in found]

    def get_att(self, argument: object, depth: int) -> Any:
        """``Fn::GetAtt``: what the template states of a resource, else the resource itself."""
        parts = argument.split(".", 1) if isinstance(argument, str) else [str(a) for a in items(argument)]
        if len(parts) != 2:
            return Unresolved("Fn::GetAtt requires a resource and an attribute")
        resource = mapping(self.resources.get(parts[0]))
        if parts[1].startswith("Outputs.") and str(resource.get("Type")) == STACK:
            child = self.children.get(parts[0])
            if child is None:
                return Unresolved(f"is an output of the nested stack {parts[0]}, whose template is not in the input")
            return child.output(parts[1].removeprefix("Outputs."), depth)
        stated = mapping(resource.get("Properties")).get(parts[1])
        if stated is not None and parts[0] not in self._busy:
            self._busy.add(parts[0])
            try:
                return self.value(stated, depth)
            finally:
                self._busy.discard(parts[0])
        return ToResource(self.scope + parts[0], parts[1])

    def json_string(self, argument: object, depth: int) -> Any:
        """``Fn::ToJsonString``: a value as JSON."""
        value = self.value(argument, depth)
        unknown = unknown_in(value)
        return unknown if unknown is not None else json.dumps(value, default=str)


def _words(argument: object) -> str:
    """The name of an import as the template has it."""
    inner = mapping(argument).get("Fn::Sub") if isinstance(argument, dict) else argument
    return str(inner if isinstance(inner, str) else argument)[:60]


def _open(value: object, why: str) -> Unresolved:
    return value if isinstance(value, Unresolved) else Unresolved(why)


def _transform(argument: object) -> str:
    """Name of a transform, with the place that it includes."""
    name = str(mapping(argument).get("Name") or "without a name")
    place = mapping(mapping(argument).get("Parameters")).get("Location")
    return f"{name} of {place}"[:120] if isinstance(place, str) else name[:60]


_FUNCTIONS: dict[str, Callable[[Resolver, Any, int], Any]] = {
    "Fn::Sub": Resolver.sub,
    "Fn::Join": Resolver.join,
    "Fn::Split": Resolver.split,
    "Fn::Select": Resolver.select,
    "Fn::FindInMap": Resolver.find_in_map,
    "Fn::If": Resolver.choose,
    "Fn::GetAZs": Resolver.zones,
    "Fn::Cidr": Resolver.cidr,
    "Fn::GetAtt": Resolver.get_att,
    "Fn::Base64": Resolver.value,
    "Fn::Transform": lambda _, argument, __: Unresolved(f"is inserted by the transform {_transform(argument)}"),
    "Fn::ToJsonString": Resolver.json_string,
    IMPORT: Resolver.imported,
}
