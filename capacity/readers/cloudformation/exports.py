"""Values that one template exports and another one imports: the templates are read together.

Source: AWS CloudFormation user guide, Fn::ImportValue and Outputs (read 2026-11-30): names of exports are unique in a
Region of an account. A name often starts with the name of the stack, which a template does not have: the rest of the
name decides then, if only one export has it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from capacity.readers.cloudformation.partial_values import Unresolved
from capacity.readers.values import mapping

if TYPE_CHECKING:
    from capacity.readers.cloudformation.intrinsics import Resolver

IMPORT = "Fn::ImportValue"
_STACK = "${AWS::StackName}"


@dataclass(frozen=True)
class Export:
    """An output with the name of its export; ``tail`` is the name after that of the stack, empty if it has none."""

    name: str
    tail: str
    resolver: Resolver
    output: str


def exports_of(resolvers: Sequence[Resolver]) -> Iterator[Export]:
    """Exports of templates whose name is known, at least after the name of the stack."""
    for resolver in resolvers:
        for output, raw in resolver.outputs.items():
            stated = mapping(mapping(raw).get("Export")).get("Name")
            text = _text(resolver.value(stated)) if stated is not None else ""
            if text.startswith(_STACK) and "${" not in text[len(_STACK) :]:
                yield Export("", text[len(_STACK) :], resolver, str(output))
            elif text and "${" not in text:
                yield Export(text, "", resolver, str(output))


def found_export(name: object, exports: Sequence[Export]) -> Export | None:
    """The export with a name, or the only one whose name ends like it."""
    text = _text(name)
    exact = [e for e in exports if e.name and e.name == text]
    alike = [e for e in exports if e.tail and text.endswith(e.tail) and len(text) > len(e.tail)]
    longest = [e for e in alike if len(e.tail) == max(len(a.tail) for a in alike)]
    return exact[0] if exact else longest[0] if len(longest) == 1 else None


def _text(value: object) -> str:
    return value.text if isinstance(value, Unresolved) else value if isinstance(value, str) else ""


def imports_in(template: object) -> Iterator[Any]:
    """Arguments of all Fn::ImportValue of a template, not evaluated."""
    inner: Any = ()
    if isinstance(template, dict):
        if IMPORT in template:
            yield template[IMPORT]
        inner = template.values()
    elif isinstance(template, list):
        inner = template
    for value in inner:
        yield from imports_in(value)


def connected(trees: Sequence[Sequence[Resolver]]) -> list[list[int]]:
    """Numbers of the trees that import values of each other, as groups."""
    exports = [list(exports_of(tree)) for tree in trees]
    group = list(range(len(trees)))
    for i, tree in enumerate(trees):
        for resolver in tree:
            for argument in imports_in(resolver.template):
                for j, others in enumerate(exports):
                    if i != j and found_export(resolver.value(argument), others) is not None:
                        first, second = sorted((group[i], group[j]))
                        group = [first if g == second else g for g in group]
    return [[i for i, g in enumerate(group) if g == number] for number in dict.fromkeys(group)]


def give_exports(resolvers: Sequence[Resolver]) -> None:
    """Let templates that are read together import values of each other."""
    exports = tuple(exports_of(resolvers))
    for resolver in resolvers:
        resolver.exports = exports
