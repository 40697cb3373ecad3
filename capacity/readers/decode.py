"""Decode files of other tools: scalars as written, several documents per file, templates as far as possible.

YAML scalars and JSON numbers stay text (version ``1.30`` is not ``1.3``, a huge number costs nothing), JSON's
booleans stay booleans; the helpers at the end read either. CloudFormation's short tags become the long form.
"""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from typing import Any

from capacity.errors import SpecError
from capacity.files import read_bytes
from capacity.plan.document import YAML_LIMIT_BYTES
from capacity.plan.yaml_nodes import MERGE, NULL, NodeBuilder

_OWN_TAGS = {"!Ref": "Ref", "!Condition": "Condition"}  # the other short tags are Fn::<name>


@dataclass(frozen=True)
class Loaded:
    """Document of a file."""

    value: Any
    file: str


def file_name(path: str) -> str:
    """Name of a path in messages and plans: its last part, so that a plan does not depend on the folder."""
    return "<stdin>" if path == "-" else re.split(r"[/\\]", path.rstrip("/\\"))[-1]


def read_data(path: str) -> bytes:
    """Read the bytes of a file or of standard input.

    Raises
    ------
    SpecError
        It cannot be read, is empty, or is too large.
    """
    data = read_bytes(path)
    if not data.strip():
        raise SpecError(f"{file_name(path)}: is empty")
    return data


_ARCHIVES = {b"\x1f\x8b": ("gunzip", "gunzip -c"), b"PK\x03\x04": ("unzip", "unzip -p")}


def how_to_unpack(data: bytes, name: str, then: str = "") -> str | None:
    """What to do with a compressed file (``then``: instead of a pipe); None if it is not compressed.

    >>> how_to_unpack(b"PK\\x03\\x04...", "plans.zip")
    'is compressed: unzip it first (unzip -p plans.zip | capacity import -)'
    """
    for start, (tool, command) in _ARCHIVES.items():
        if data.startswith(start):
            after = then or f"{command} {shlex.quote(name)} | capacity import -"
            return f"is compressed: {tool} it first ({after})"
    return None


def decode(data: bytes, name: str) -> str:
    """Decode UTF-8 text, or UTF-16 with a byte order mark as written by PowerShell's ``>``."""
    packed = how_to_unpack(data, name)
    if packed is not None:
        raise SpecError(f"{name} {packed}")
    try:
        if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
            return data.decode("utf-16")
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SpecError(f"{name}:{line}: is neither UTF-8 nor UTF-16 text") from None


def read_documents(path: str) -> list[Loaded]:
    """Read all documents of a YAML or JSON file.

    Raises
    ------
    SpecError
        Not readable, not YAML or JSON, or too large once expanded.
    """
    name = file_name(path)
    return [Loaded(value, name) for value in parse_documents(decode(read_data(path), name), name)]


def parse_documents(text: str, name: str) -> list[Any]:
    """Parse all documents of a YAML or JSON text, without empty ones."""
    if text.lstrip()[:1] in ("{", "[") and not text.lstrip().startswith("{{"):
        return parse_json_documents(text, name)
    if len(text) > YAML_LIMIT_BYTES:
        raise SpecError(f"{name}: YAML larger than 16 MB (save it as JSON, which can have 128 MB)")
    return parse_yaml_documents(text, name)


# --- JSON -----------------------------------------------------------------------------------


def json_decoder(name: str) -> json.JSONDecoder:
    """JSON decoder that keeps numbers as written and refuses invalid JSON."""

    def refuse(word: str) -> None:
        raise SpecError(f"{name}: {word} is not a number JSON allows")

    return json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=refuse)


def parse_json_documents(text: str, name: str) -> list[Any]:
    """Parse consecutive JSON objects, such as the output of ``kubectl cluster-info dump``."""
    decoder = json_decoder(name)
    found: list[Any] = []
    position = 0
    while position < len(text):
        while position < len(text) and text[position] in " \t\r\n,\x1e":
            position += 1
        if position == len(text):
            break
        try:
            value, position = decoder.raw_decode(text, position)
        except json.JSONDecodeError as error:
            raise SpecError(json_message(error, name, len(text))) from None
        except RecursionError:
            raise SpecError(f"{name}: nested too deeply") from None
        found.append(value)
    return found


def json_message(error: json.JSONDecodeError, name: str, length: int) -> str:
    """Message for a JSON error."""
    rest = error.doc[error.pos :].strip()
    if not rest or "Unterminated string" in error.msg or error.pos >= length - 1:
        return f"{name}:{error.lineno}: the JSON ends in the middle (was the file cut off?)"
    return f"{name}:{error.lineno}: not valid JSON: {error.msg}"


# --- YAML -----------------------------------------------------------------------------------


def parse_yaml_documents(text: str, name: str) -> list[Any]:
    """Parse YAML documents; if template marks break the YAML, parse again with placeholders instead of marks."""
    import yaml

    try:
        return _compose(text, name)
    except yaml.YAMLError as error:
        softened = soften_template(text)
        if softened != text:
            try:
                return _compose(softened, name)
            except yaml.YAMLError:
                raise SpecError(
                    f"{name}: is a template that is not YAML before it is rendered (import the rendered file)"
                ) from None
        from capacity.plan.yaml_loader import yaml_message

        raise SpecError(yaml_message(error, name, text)) from None
    except RecursionError:
        raise SpecError(f"{name}: nested too deeply") from None


def soften_template(text: str) -> str:
    """Template text without control lines, with its values as ``${…}``.

    >>> soften_template("a: {{ .Values.b }}\\n{{- if x }}\\nc: %name%\\n")
    'a: ${.Values.b}\\nc: ${name}\\n'
    """
    kept = [
        line
        for line in text.splitlines(keepends=True)
        if not re.fullmatch(r"\s*(\{\{-?.*-?\}\}|%\{.*\}|\{%.*%\})\s*", line.rstrip("\r\n"))
    ]
    body = re.sub(r"\{\{-?\s*(.*?)\s*-?\}\}", _placeholder, "".join(kept))
    body = re.sub(r"\$\{([^{}\n]*)\}", _placeholder, body)
    body = re.sub(r"(?<=[\[,\s])(\$\{[^{}\n]*\})(?=[ \t]*[,\]}])", r"'\1'", body)  # YAML has no braces inside […]
    return re.sub(r"(?<=[\s:])%([A-Za-z_]\w*)%", r"${\1}", body)


def _placeholder(found: re.Match[str]) -> str:
    """A value of a template as ``${…}``, without the characters that have a meaning in YAML."""
    return "${" + re.sub(r"[\"'{}:#,\[\]]", "", found[1]) + "}"


def _compose(text: str, name: str) -> list[Any]:
    from capacity.plan.yaml_loader import yaml_loader

    loader = yaml_loader()(text)
    found = []
    try:
        while loader.check_node():
            node = loader.get_node()
            if node is not None:
                found.append(_Builder(name).document(node))
    finally:
        loader.dispose()
    return [value for value in found if value is not None]


class _Builder(NodeBuilder):
    """YAML constructor of dicts, lists, text and None, with CloudFormation's short tags in their long form."""

    fewest_nodes = 1000  # small files of other tools can repeat parts as often as they like

    def scalar(self, node: Any) -> Any:
        if node.tag == NULL:
            return None
        return tagged(node.tag, node.value)

    def mapping(self, node: Any) -> tuple[Any, int]:
        mark = _template_mark(node)
        if mark is not None:
            return mark, 1
        built: dict[str, Any] = {}
        merged: list[Any] = []
        size = 1
        for key_node, value_node in node.value:
            key = key_node.value if key_node.id == "scalar" else _template_mark(key_node) or "{…}"
            value, value_size = self.build(value_node)
            size += value_size
            if key_node.tag == MERGE:
                merged += value if isinstance(value, list) else [value]
            else:
                built[key] = value
        for base in merged:
            if isinstance(base, dict):
                for key, value in base.items():
                    built.setdefault(key, value)
        return tagged(node.tag, built), size

    def sequence(self, node: Any) -> tuple[Any, int]:
        pairs = [self.build(item) for item in node.value]
        return tagged(node.tag, [value for value, _ in pairs]), 1 + sum(size for _, size in pairs)


def _template_mark(node: Any) -> str | None:
    """Text of ``{{ x }}`` without quotes, which YAML reads as a mapping whose only key is a mapping; else None."""
    if node.id != "mapping" or len(node.value) != 1 or node.value[0][1].tag != NULL:
        return None
    inner = node.value[0][0]
    if inner.id != "mapping" or len(inner.value) != 1 or inner.value[0][1].tag != NULL:
        return None
    name = inner.value[0][0]
    return f"{{{{ {name.value} }}}}" if name.id == "scalar" else None


def tagged(tag: str, value: object) -> Any:
    """Long form of a value with a short tag of CloudFormation; other tags change nothing.

    >>> tagged("!GetAtt", "Vpc.CidrBlock"), tagged("!Ref", "Vpc")
    ({'Fn::GetAtt': ['Vpc', 'CidrBlock']}, {'Ref': 'Vpc'})
    """
    if not tag.startswith("!") or tag == "!":
        return value
    if tag == "!GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {_OWN_TAGS.get(tag, "Fn::" + tag[1:]): value}


def brief(error: Exception, most: int = 200) -> str:
    """Message of a library error, shortened to one line."""
    text = " ".join(str(error).split())
    return text if len(text) <= most else text[: most - 2] + " …"
