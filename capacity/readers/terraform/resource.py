"""Read Terraform resources from the JSON of a plan or state, with the references of the configuration.

Field names: hashicorp/terraform docs/internals/json-format; resources of hashicorp/aws.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from capacity.errors import SpecError
from capacity.readers.draft import SourceNotes, TenantDraft
from capacity.readers.values import block_of, items, mapping, path_of, text_of

# --- the shapes of Terraform's JSON ---------------------------------------------------------


@dataclass(frozen=True)
class Resource:
    """Resource instance: its known values, and the modules it is in.

    ``unclear`` are the paths of values that are stated in a configuration and not known; ``partial`` are texts
    that are known in part, with placeholders, by path.
    """

    address: str
    type: str
    name: str
    module: tuple[str, ...]
    index: Any
    values: Any
    unknown: Any = None
    managed: bool = True
    unclear: tuple[str, ...] = ()
    partial: Mapping[str, str] = field(default_factory=dict)

    def text(self, key: str) -> Any:
        """Value of an attribute, or its text with placeholders if only a part of it is known."""
        found = self.value(key)
        return self.partial.get(key) if found is None else found

    def value(self, *keys: str) -> Any:
        """Value by path; lists of blocks are entered automatically."""
        here: Any = self.values
        for key in keys:
            if isinstance(here, list):
                here = here[0] if here else None
            here = mapping(here).get(key)
        return here

    def unknown_of(self, key: str) -> Any:
        """Mark of an attribute that has a value which is not known: ``given`` in text, true in a plan; else None.

        In a plan, an attribute that AWS sets by itself is unknown too, unless the configuration is without it.
        """
        return mapping(self.unknown).get(key)


def resources_of(document: dict[str, Any], file: str) -> list[Resource]:
    """All resource instances of a plan, a state, or a listing by type.

    Raises
    ------
    SpecError
        The document is a state of Terraform 0.11, or has no resources of these kinds.
    """
    document = unwrapped_plan(document)
    if isinstance(document.get("modules"), list):
        raise SpecError(
            f"{file}: a state of Terraform 0.11 or older: read it with `terraform show -json` of a newer one"
        )
    if isinstance(document.get("resources"), list):
        return list(_raw_state(document["resources"]))
    if isinstance(document.get("resources"), dict):
        return list(_by_type(document["resources"]))
    if "planned_values" in document or "resource_changes" in document:
        return _planned(document)
    root = path_of(document, "values", "root_module") or document.get("root_module")
    if root is not None:
        return list(_module(root, {}))
    if any(k.startswith("aws_") for k in document):
        return list(_by_type(document))
    return []


def unwrapped_plan(document: dict[str, Any]) -> dict[str, Any]:
    """Unwrap a plan that scanners and policy tools save under an additional key."""
    for key in ("plan", "tfplan", "input", "resource_plan"):
        inner = document.get(key)
        if isinstance(inner, dict) and ("planned_values" in inner or "resource_changes" in inner):
            return inner
    return document


def _planned(document: dict[str, Any]) -> list[Resource]:
    changes = [mapping(c) for c in items(document.get("resource_changes"))]
    unknown = {str(c.get("address")): path_of(c, "change", "after_unknown") for c in changes}
    gone = {str(c.get("address")) for c in changes if path_of(c, "change", "actions") == ["delete"]}
    root = path_of(document, "planned_values", "root_module")
    found = {r.address: r for r in _module(root, unknown)} if root else {}
    for change in changes:
        after = path_of(change, "change", "after")
        address = str(change.get("address"))
        if address not in found and address not in gone and isinstance(after, dict):
            found[address] = _resource(change, after, unknown)
    for resource in _module(path_of(document, "prior_state", "values", "root_module"), {}):
        if resource.address not in found and resource.address not in gone:
            found[resource.address] = resource
    return list(found.values())


def _module(module: object, unknown: object, depth: int = 0) -> Iterator[Resource]:
    for raw in items(mapping(module).get("resources")):
        yield _resource(mapping(raw), mapping(mapping(raw).get("values")), unknown)
    for child in items(mapping(module).get("child_modules")) if depth < 60 else ():
        yield from _module(child, unknown, depth + 1)


def _resource(raw: Any, values: Any, unknown: Any) -> Resource:
    address = str(raw.get("address") or "")
    return Resource(
        address=address,
        type=str(raw.get("type") or ""),
        name=str(raw.get("name") or ""),
        module=module_of(address),
        index=raw.get("index"),
        values=values,
        unknown=mapping(unknown).get(address),
        managed=raw.get("mode") != "data" and not re.search(r"(^|\.)data\.", address),
    )


def module_of(address: str) -> tuple[str, ...]:
    """Modules of an address, with instance keys.

    >>> module_of('module.vpc["a"].module.x.aws_subnet.private[0]')
    ('vpc["a"]', 'x')
    """
    return tuple(re.findall(r'module\.([^.\[]+(?:\[(?:"[^"]*"|[^\]]*)\])?)', address))


def _raw_state(resources: list[Any]) -> Iterator[Resource]:
    for raw in map(mapping, resources):
        prefix = f"{raw['module']}." if raw.get("module") else ""
        for instance in map(mapping, items(raw.get("instances"))):
            index = instance.get("index_key")
            key = "" if index is None else f'["{index}"]' if not str(index).isdigit() else f"[{index}]"
            address = f"{prefix}{raw.get('type')}.{raw.get('name')}{key}"
            yield _resource({**raw, "address": address, "index": index}, mapping(instance.get("attributes")), {})


def _by_type(resources: dict[str, Any]) -> Iterator[Resource]:
    for kind, named in resources.items():
        for name, values in mapping(named).items():
            raw = {"address": f"{kind}.{name}", "type": kind, "name": name}
            yield _resource(raw, mapping(values), {})


# --- references -----------------------------------------------------------------------------


@dataclass
class References:
    """References from expressions of the configuration to resources, through variables and outputs of modules."""

    root: Any
    resources: list[Resource]

    def to(self, resource: Resource, key: str, kind: str) -> list[Resource]:
        """Resources of a type that an attribute refers to; for counted ones the one with the same index."""
        module = self._module(resource.module)
        expression = self._expression(module, resource, key)
        texts = [str(r) for r in items(mapping(expression).get("references"))]
        found = self._follow(texts, resource.module, kind, 0)
        by_index = any(t.startswith(("count.", "each.")) for t in texts)
        same = [r for r in found if r.index == resource.index]
        return same if by_index and same else found

    def states(self, resource: Resource, key: str) -> bool:
        """Whether the configuration has an expression for an attribute."""
        return self._expression(self._module(resource.module), resource, key) is not None

    def commands(self, resource: Resource) -> Iterator[str]:
        """Constant commands of the ``local-exec`` provisioners of a resource."""
        for raw in map(mapping, items(self._module(resource.module).get("resources"))):
            if raw.get("type") == resource.type and raw.get("name") == resource.name:
                for step in map(mapping, items(raw.get("provisioners"))):
                    command = path_of(step, "expressions", "command", "constant_value")
                    if step.get("type") == "local-exec" and isinstance(command, str):
                        yield command

    def _module(self, path: Sequence[str]) -> Any:
        module = self.root
        for name in path:
            calls = mapping(mapping(module).get("module_calls"))
            module = mapping(calls.get(name.partition("[")[0])).get("module")
        return mapping(module)

    def _expression(self, module: Any, resource: Resource, key: str) -> Any:
        for raw in map(mapping, items(module.get("resources"))):
            if raw.get("type") == resource.type and raw.get("name") == resource.name:
                here: Any = raw.get("expressions")
                for part in key.split("."):
                    if isinstance(here, list):
                        here = here[0] if here else None
                    here = mapping(here).get(part)
                return here
        return None

    def _follow(self, texts: Iterable[str], path: tuple[str, ...], kind: str, depth: int) -> list[Resource]:
        found: dict[str, Resource] = {}
        for text in texts if depth < 20 else ():
            for resource in self._one(text, path, kind, depth):
                found[resource.address] = resource
        return list(found.values())

    def _one(self, text: str, path: tuple[str, ...], kind: str, depth: int) -> list[Resource]:
        parts = text.split(".")
        if parts[0] == kind and len(parts) > 1:
            name, _, index = parts[1].partition("[")
            wanted = index.rstrip("]").strip('"')
            return [
                r
                for r in self.resources
                if r.type == kind and r.name == name and _same_module(r.module, path) and wanted in ("", str(r.index))
            ]
        if parts[0] == "var" and path and len(parts) > 1:
            call = mapping(mapping(self._module(path[:-1]).get("module_calls")).get(path[-1].partition("[")[0]))
            given = mapping(mapping(call.get("expressions")).get(parts[1]))
            return self._follow(map(str, items(given.get("references"))), path[:-1], kind, depth + 1)
        if parts[0] == "module" and len(parts) > 2:
            inner = (*path, parts[1].partition("[")[0])
            output = mapping(mapping(self._module(inner).get("outputs")).get(parts[2].partition("[")[0]))
            references = items(mapping(output.get("expression")).get("references"))
            return self._follow(map(str, references), inner, kind, depth + 1)
        return []


def _same_module(a: Sequence[str], b: Sequence[str]) -> bool:
    return [x.partition("[")[0] for x in a] == [x.partition("[")[0] for x in b]


# --- what is known while a file is read -------------------------------------------------------


@dataclass
class Stack:
    """Resources of one file, and the facts read so far."""

    resources: list[Resource]
    references: References
    said: SourceNotes
    subnets: dict[str, str] = field(default_factory=dict)  # address -> name in the plan
    ids: dict[str, str] = field(default_factory=dict)  # AWS id -> name in the plan
    region: str | None = None  # of the provider
    holders: list[TenantDraft] = field(default_factory=list)  # address holders found beside other resources
    functions: set[tuple[tuple[str, ...], tuple[str, ...]]] = field(default_factory=set)  # subnets, security groups
    assumed: set[str] = field(default_factory=set)  # paths of the plan that hold an assumption

    def of(self, *types: str, managed: bool = True) -> list[Resource]:
        return [r for r in self.resources if r.type in types and (r.managed or not managed)]

    def is_given(self, resource: Resource, key: str) -> bool:
        """Whether an attribute without a known value has one all the same, so that no default applies."""
        mark = resource.unknown_of(key)
        if mark is not True:
            return bool(mark)
        return self.references.root is None or self.references.states(resource, key)

    def subnet_names(self, resource: Resource, *keys: str) -> list[str]:
        """Subnets of an attribute: by ID, by CIDR in test data, or through the configuration."""
        stated = resource.value(*keys)
        listed = [text_of(s) for s in (items(stated) if isinstance(stated, list) else [stated])]
        names = [self.ids.get(s, s) for s in listed if s and (s in self.ids or s.startswith("subnet-") or block_of(s))]
        if not names:
            for kind in ("aws_subnet", "aws_default_subnet"):
                referred = self.references.to(resource, ".".join(keys), kind)
                names += [self.subnets[r.address] for r in referred if r.address in self.subnets]
        return list(dict.fromkeys(names))


def first_block(value: object) -> Any:
    return value[0] if isinstance(value, list) and value else value if isinstance(value, dict) else None
