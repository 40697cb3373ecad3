"""Reads a YAML or JSON file as sections that record the line of every value.

Scalars stay as written (``1.30`` is not ``1.3``); the field that reads a value decides what it means. YAML goes through
libyaml's composer and the constructor below, which is faster than PyYAML's, keeps line numbers, refuses duplicate keys
and foreign tags, and limits aliases.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from capacity.errors import SpecError
from capacity.files import DEEPEST, LARGEST_TEXT_BYTES, input_name, read_bytes
from capacity.plan.sections import EntryList, PlanSection, kind_of
from capacity.plan.yaml_nodes import MERGE, NULL, TAG, NodeBuilder

YAML_LIMIT_BYTES = LARGEST_TEXT_BYTES
_PLAIN_TAGS = frozenset(TAG + t for t in ("str", "int", "float", "bool", "null", "timestamp", "value", "map", "seq"))
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


class NotJson(SpecError):
    """The text is not JSON."""


@contextmanager
def collector_paused() -> Iterator[None]:
    """Disable Python's garbage collector while a plan is read or checked, and restore it afterwards.

    A plan becomes hundreds of thousands of small objects that all stay alive; the collector would scan them repeatedly
    and free nothing. Reading would take three times as long, and more than linear time.

    Afterwards they are in the oldest generation, so that the first collection does not scan them either; a full one
    frees what is garbage by then.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            if not gc.get_freeze_count():  # what the caller froze stays frozen
                gc.freeze()
                gc.unfreeze()
            gc.enable()


class PlanFile(NamedTuple):
    """A plan's file, read once: the content of a pipe cannot be read again.

    Attributes
    ----------
    name : str
        Name in messages: its path, ``<stdin>`` or ``<pipe>``.
    data : bytes
        Its content.
    document : PlanSection
    """

    name: str
    data: bytes
    document: PlanSection

    @property
    def text(self) -> str:
        """The content as text."""
        return decode_text(self.data, self.name)

    @property
    def is_json(self) -> bool:
        """Whether it is written in JSON or in YAML's flow style."""
        return self.name.lower().endswith(".json") or self.text.lstrip()[:1] in ("{", "[")


@collector_paused()
def read_plan_file(path: Path | str) -> PlanFile:
    """A YAML or JSON file with one mapping, ``-`` for standard input: YAML up to 16 MB, JSON up to 128 MB.

    Raises
    ------
    SpecError
        The file cannot be read, is empty, not text, too large, or not one mapping.
    """
    name = input_name(path)
    return parse_plan_file(read_bytes(path, name), name)


def parse_plan_file(data: bytes, name: str) -> PlanFile:
    """A plan's file from content that is already read."""
    if len(data) > YAML_LIMIT_BYTES and data.lstrip()[:1] not in (b"{", b"["):
        raise SpecError(f"{name}: larger than 16 MB (a larger plan must be JSON, up to 128 MB)")
    return PlanFile(name, data, _document(decode_text(data, name), name))


def read_document(path: Path) -> PlanSection:
    """The mapping in a plan's file, as :func:`read_plan_file` reads it."""
    return read_plan_file(path).document


def _document(text: str, name: str) -> PlanSection:
    if name.lower().endswith(".json"):
        document = parse_json(text, name)
    elif text.lstrip()[:1] in ("{", "["):
        document = _parse_either(text, name)
    else:
        document = parse_yaml(text, name)
    if document is None:
        raise SpecError(f"{name}: is empty (expected a plan that starts with 'apiVersion: capacity/v1')")
    if not isinstance(document, PlanSection):
        raise SpecError(f"{name}:1: expected a mapping with apiVersion, vpc and nodeGroups, found {kind_of(document)}")
    return document


def section_of(document: Mapping[str, Any], name: str) -> PlanSection:
    """A decoded document as sections: of plain mappings, lists, text, numbers, booleans and None.

    Raises
    ------
    SpecError
        A value of another type.
    """
    if isinstance(document, PlanSection):
        return document
    import json

    try:
        text = json.dumps(document)
    except (TypeError, ValueError, RecursionError) as error:
        raise SpecError(f"{name or 'document'}: not a decoded JSON or YAML document: {error}") from None
    found: PlanSection = parse_json(text, name or "document")
    return found


def decode_text(data: bytes, name: str) -> str:
    """UTF-8 text without its byte-order mark."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SpecError(f"{name}:{line}: is not UTF-8 text (byte {data[error.start]:#04x})") from None


def _parse_either(text: str, name: str) -> Any:
    """The document as JSON, or as YAML in flow style; if it is neither, the error of the format that its name says."""
    try:
        return parse_json(text, name)
    except NotJson as error:
        if len(text) > YAML_LIMIT_BYTES:
            raise
        try:
            return parse_yaml(text, name)
        except SpecError:
            if name.lower().endswith((".yaml", ".yml")):
                raise
            raise error from None


def parse_yaml(text: str, name: str) -> Any:
    """A YAML text as sections, sequences, strings and None.

    Raises
    ------
    SpecError
        Not YAML, more than one document, a duplicate key, a tag other than YAML's own plain ones,
        nesting deeper than 100, or aliases that multiply the document more than tenfold.
    """
    import yaml

    control = _CONTROL.search(text)
    if control:
        line = text.count("\n", 0, control.start()) + 1
        raise SpecError(
            f"{name}:{line}: contains the control character {ord(control.group()):#04x}, which YAML forbids"
        )
    from capacity.plan.yaml_loader import yaml_loader, yaml_message

    try:
        loader = yaml_loader()(text)
        try:
            node = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise SpecError(yaml_message(error, name, text)) from None
    return None if node is None else _Constructor(name).document(node)


class _Constructor(NodeBuilder):
    """Builds sections and sequences with their lines; refuses duplicate keys and foreign tags."""

    def scalar(self, node: Any) -> str | None:
        tag = node.tag
        if tag == NULL:
            return None
        if tag not in _PLAIN_TAGS:
            self._refuse_tag(node)
        text: str = node.value
        return text

    def mapping(self, node: Any) -> tuple[PlanSection, int]:
        if node.tag not in _PLAIN_TAGS:
            self._refuse_tag(node)
        section = PlanSection(node.start_mark.line + 1)
        lines = section.lines
        size = 1
        merged: list[Any] = []
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if key_node.id != "scalar":
                raise SpecError(f"{self.name}:{line}: a key must be a plain scalar")
            if value_node.id == "scalar":  # most are
                value, value_size = self.scalar(value_node), 1
                self.nodes += 1
            else:
                value, value_size = self.build(value_node)
            size += value_size + 1
            if key_node.tag == MERGE:
                merged += value if isinstance(value, list) else [value]
                continue
            key = key_node.value
            if key in section:
                raise SpecError(f"{self.name}:{line}: duplicate key {key!r} (first on line {lines[key]})")
            section[key] = value
            lines[key] = line
        for base in merged:
            if not isinstance(base, PlanSection):
                raise SpecError(f"{self.name}:{section.line}: '<<' can merge only mappings")
            for key, value in base.items():
                if key not in section:
                    section[key] = value
                    lines[key] = base.lines[key]
        self.nodes += len(node.value)
        return section, size

    def sequence(self, node: Any) -> tuple[EntryList, int]:
        if node.tag not in _PLAIN_TAGS:
            self._refuse_tag(node)
        items = EntryList(node.start_mark.line + 1)
        size = 1
        for item in node.value:
            value, item_size = self.build(item)
            size += item_size
            items.append(value)
            items.lines.append(item.start_mark.line + 1)
        return items, size

    def _refuse_tag(self, node: Any) -> None:
        tag = str(node.tag).replace(TAG, "!!")
        raise self.error(node, f"the tag {tag!r} is not allowed (a plan contains plain values only)")


def parse_json(text: str, name: str) -> Any:
    """A JSON text as sections, sequences, strings and None; numbers stay as written.

    Lines are not tracked while reading (the standard decoder does not give them): :mod:`capacity.plan.locate` finds the
    line of a path when an error needs it.
    """
    import json

    try:
        return json.loads(
            text, object_pairs_hook=_section_of, parse_float=str, parse_int=str, parse_constant=_constant(name)
        )
    except json.JSONDecodeError as error:
        raise NotJson(f"{name}:{error.lineno}: not valid JSON: {error.msg}") from None
    except _TwiceInJson as error:
        _say_both_lines(text, name)
        raise SpecError(f"{name}: {error}") from None
    except RecursionError:
        raise SpecError(f"{name}: nested more than {DEEPEST} deep") from None


class _TwiceInJson(Exception):
    """A duplicate key; the decoder does not give its place."""


def _section_of(pairs: list[tuple[str, Any]]) -> PlanSection:
    result = PlanSection()
    for key, value in pairs:
        if key in result:
            raise _TwiceInJson(f"duplicate key {key!r} in one mapping")
        result[key] = value
    return result


def _say_both_lines(text: str, name: str) -> None:
    """Raise the error with both lines if the text is small enough to be read as YAML."""
    if len(text) > YAML_LIMIT_BYTES:
        return
    try:
        parse_yaml(text, name)
    except SpecError as error:
        if "duplicate key" in str(error):
            raise


def _constant(name: str) -> Any:
    def refuse(word: str) -> None:
        raise SpecError(f"{name}: {word} is not a number")

    return refuse
