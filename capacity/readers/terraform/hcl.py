"""Read Terraform's configuration language, .tf text and its JSON form, for use if no plan is available.

Expressions have Terraform's value or are unknown. Well-known modules have their documented defaults; modules in a
folder inside the folder that is read are read too. `terraform show -json` of a plan has all values.
"""

from __future__ import annotations

import os.path
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from capacity.errors import SpecError
from capacity.readers.decode import file_name
from capacity.readers.draft import SourceNotes
from capacity.readers.terraform.known_modules import HARMLESS, KNOWN, Call
from capacity.readers.terraform.module_source import ModuleSource, major_of, module_source
from capacity.readers.terraform.resource import Resource
from capacity.readers.terraform.scope import Called, Module, Work
from capacity.readers.terraform.source_blocks import Inputs, SourceBlocks, of_json_syntax, read_blocks
from capacity.readers.terraform.value import Open
from capacity.readers.values import mapping

DEEPEST_CALL = 10  # local modules inside local modules
_FIRST = {"aws_vpc": 0, "aws_subnet": 1, "aws_launch_template": 2}


@dataclass(frozen=True)
class Configuration:
    """Resources of a configuration, with the Region of its provider and the notes on it."""

    said: SourceNotes
    resources: list[Resource]
    region: str | None


def read_hcl(paths: Sequence[str], inputs: Inputs | None = None) -> Configuration:
    """Read the resources in .tf and .tf.json files and folders.

    Raises
    ------
    MissingExtra
        python-hcl2 is not installed.
    SpecError
        A file cannot be read or parsed.
    """
    said = SourceNotes(", ".join(dict.fromkeys(map(file_name, paths))))
    return _configuration(read_blocks(paths, inputs or Inputs(), said), said)


def read_json_syntax(document: dict[str, Any], file: str) -> Configuration:
    """Read a document of Terraform's JSON syntax."""
    blocks = SourceBlocks()
    blocks.take(of_json_syntax(document))
    return _configuration(blocks, SourceNotes(file))


def _configuration(blocks: SourceBlocks, said: SourceNotes) -> Configuration:
    module = Module(blocks, said, _open_call, Work(blocks.folder))
    module.region = _provider_region(module)
    said.say("", ".tf text is evaluated as far as possible: `terraform show -json` of a plan is more complete")
    return Configuration(said, list(_resources(module)), module.region)


def _provider_region(module: Module) -> str | None:
    """Region of the provider without an alias; without one, of a variable or local with the name of a region."""
    bodies = [mapping(body) for name, body in module.blocks.providers if name == "aws"]
    for body in sorted(bodies, key=lambda b: "alias" in b):
        region = module.value(body.get("region"))
        if isinstance(region, str) and region:
            return region
    for name in ("region", "aws_region"):
        for value in (
            module.local(name) if name in module.blocks.locals else None,
            module.variable(name) if name in module.blocks.variables else None,
        ):
            if isinstance(value, str) and value:
                return value
    return None


def _resources(module: Module) -> Iterator[Resource]:
    """Resources of a module and of its calls: a VPC before what is in it."""
    calls = {name: module.called(name) for name in module.blocks.calls}
    has_vpc = {name for name, made in calls.items() if any(r.type == "aws_vpc" for r in made)}
    for name in calls:
        if name in has_vpc:
            yield from calls[name]
    for kind, name in sorted(module.blocks.resources, key=lambda r: _FIRST.get(r[0], 3)):
        yield from module.instances(kind, name)
    for kind, name in module.blocks.data:
        if kind in ("aws_vpc", "aws_subnet"):
            yield from (r for r in module.data(kind, name) if r.values.get("id"))
    for name in calls:
        if name not in has_vpc:
            yield from calls[name]


def _open_call(module: Module, name: str, index: object, body: Any, given: dict[str, Any]) -> Called:
    """Read a module call: a well-known module, or a folder inside the root module's."""
    key = "" if index is None else f"[{index}]" if isinstance(index, int) else f'["{index}"]'
    path = (*module.path, f"{name}{key}")
    text = module.value(body.get("source"))
    source = module_source(text) if isinstance(text, str) else ModuleSource()
    version = module.value(body.get("version"))
    read = KNOWN.get((source.name, source.part))
    if read is not None:
        return read(Call(path, given, major_of(source.ref or str(version or "")), module.said))
    if source.name in HARMLESS:
        return Called((), Open())
    made = _local_module(module, str(text), path, given) if source.local else None
    if made is None:
        shown = text if isinstance(text, str) else "a source that is not known"
        address = ".".join(f"module.{p}" for p in path)
        if source.local:
            module.said.leave_out(address, f"{shown} is not evaluated: use `terraform show -json` of a plan")
        else:
            module.said.meet("module", f"{address} ({shown})")
        return Called()
    return made


def _local_module(module: Module, source: str, path: tuple[str, ...], given: dict[str, Any]) -> Called | None:
    """Read a module in a folder; None if it is outside the folder that is read, or has no files."""
    root = module.work.root
    if root is None or len(path) > DEEPEST_CALL:
        return None
    folder = os.path.normpath(os.path.join(module.folder, source))
    place = (root / folder).resolve()
    if not place.is_relative_to(root.resolve()) or not place.is_dir():
        return None
    try:
        blocks = read_blocks([str(place)], Inputs(), SourceNotes(""))
    except SpecError:
        return None
    inner = Module(blocks, module.said, _open_call, module.work, path, Path(folder).as_posix(), given, module.region)
    outputs = {name: inner.value(raw) for name, raw in blocks.outputs.items()}
    return Called(tuple(_resources(inner)), outputs)
