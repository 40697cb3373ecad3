"""Templates that create each other as nested stacks: which file is a root, and which file each nested stack uses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from capacity.readers.cloudformation.exports import connected, give_exports
from capacity.readers.cloudformation.intrinsics import STACK, Resolver
from capacity.readers.cloudformation.parsed_template import address_text
from capacity.readers.decode import Loaded
from capacity.readers.values import mapping

DEEPEST = 8  # nested stacks in each other


def stack_trees(documents: Sequence[Loaded]) -> Iterator[tuple[str, list[Resolver]]]:
    """File of each root, and its resolver with those of its nested stacks after it.

    Roots that import values of each other are one entry, with the names of their files as scopes.
    """
    templates = [(doc.file, mapping(doc.value)) for doc in documents]
    used = {id(child) for _, template in templates for child in _nested(template, templates) if child is not template}
    roots = [(file, template) for file, template in templates if id(template) not in used]
    chosen = roots or templates[:1]
    trees = [_tree(Resolver(template), templates, 0) for _, template in chosen]
    for numbers in connected(trees):
        if len(numbers) == 1:
            yield chosen[numbers[0]][0], trees[numbers[0]]
            continue
        together: list[Resolver] = []
        for file, template in (chosen[i] for i in numbers):
            together += _tree(Resolver(template, scope=f"{_stem(file)}."), templates, 0)
        give_exports(together)
        yield ", ".join(chosen[i][0] for i in numbers), together


def _nested(template: Mapping[str, Any], templates: Sequence[tuple[str, Any]]) -> Iterator[Any]:
    for raw in mapping(template.get("Resources")).values():
        child = _template_of(raw, templates)
        if child is not None:
            yield child


def _tree(resolver: Resolver, templates: Sequence[tuple[str, Any]], deep: int) -> list[Resolver]:
    found = [resolver]
    for name, raw in resolver.resources.items():
        child = _template_of(raw, templates)
        condition = mapping(raw).get("Condition")
        if child is None or child is resolver.template or deep > DEEPEST:
            continue
        if condition is not None and resolver.holds(condition) is False:
            continue
        given = mapping(mapping(mapping(raw).get("Properties")).get("Parameters"))
        resolver.children[name] = Resolver(child, scope=f"{resolver.scope}{name}.", parent=resolver, given=given)
    for child in resolver.children.values():
        found += _tree(child, templates, deep + 1)
    return found


def _template_of(raw: object, templates: Sequence[tuple[str, Any]]) -> Any:
    """Template of a nested stack among the files, by the last part of its address."""
    if mapping(raw).get("Type") != STACK:
        return None
    address = address_text(mapping(mapping(raw).get("Properties")).get("TemplateURL"))
    wanted = re.split(r"[/\\\\]", address.partition("?")[0])[-1]
    exact = [template for file, template in templates if file == wanted]
    alike = [template for file, template in templates if _stem(file) == _stem(wanted)]
    return next(iter(exact or alike), None) if wanted else None


def _stem(file: str) -> str:
    return re.sub(r"(\.packaged)?\.(ya?ml|json|template|cfn)$", "", file)
