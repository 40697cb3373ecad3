"""Stream Kubernetes objects from JSON of any size, in bounded memory.

The standard decoder reads one value at a time out of a buffer of a few megabytes: the list itself is never held,
and decoding costs what ``json.loads`` costs.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from capacity.errors import SpecError
from capacity.files import stdin
from capacity.plan.document import YAML_LIMIT_BYTES
from capacity.readers.decode import file_name, how_to_unpack, json_decoder, json_message, parse_yaml_documents

CHUNK = 1 << 20  # characters
LARGEST_OBJECT = 1 << 26  # characters; etcd refuses objects beyond 1.5 MB

_SPACE = " \t\r\n\x1e"


def stream_file(path: str) -> Iterator[tuple[str, Any]]:
    """Yield (kind of its list, object) for every object in a JSON or YAML file, ``-`` for stdin.

    Lists are expanded, including nested ones; a document that is not a list has an empty kind.

    Raises
    ------
    SpecError
        The file cannot be read, is empty, cut off, or neither JSON nor YAML.
    """
    name = file_name(path)
    try:
        if path == "-":
            yield from stream_binary(stdin(), name)
        else:
            with Path(path).open("rb") as stream:
                yield from stream_binary(stream, name)
    except FileNotFoundError:
        raise SpecError(f"{path}: no such file") from None
    except OSError as error:
        raise SpecError(f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError:
        raise SpecError(f"{name}: is neither UTF-8 nor UTF-16 text") from None
    except ValueError as error:
        if isinstance(error, SpecError):
            raise
        raise SpecError(f"{path!r}: {error}") from error


def stream_binary(stream: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Yield kinds and objects from an open stream of bytes."""
    head = stream.read(4)
    packed = how_to_unpack(head, name)
    if packed is not None:
        raise SpecError(f"{name} {packed}")
    wide = head[:2] in (b"\xff\xfe", b"\xfe\xff")
    decoder = codecs.getincrementaldecoder("utf-16" if wide else "utf-8-sig")()
    buffer = _Buffer(_Text(head, stream, decoder), name)
    first = buffer.peek()
    if not first:
        raise SpecError(f"{name}: is empty")
    if first in "{[":
        yield from _json_documents(buffer)
    else:
        yield from _yaml_documents(buffer, name)


class _Text:
    """Decoded text of a stream whose first bytes were already read."""

    def __init__(self, head: bytes, rest: Any, decoder: codecs.IncrementalDecoder) -> None:
        self.head = head
        self.rest = rest
        self.decoder = decoder

    def read(self, size: int) -> str:
        """About ``size`` characters; empty only at the end."""
        while True:
            data = self.head or self.rest.read(size)
            self.head = b""
            text = self.decoder.decode(data, final=not data)
            if text or not data:
                return text


def _yaml_documents(buffer: _Buffer, name: str) -> Iterator[tuple[str, Any]]:
    text = buffer.rest(YAML_LIMIT_BYTES)
    if text is None:
        raise SpecError(f"{name}: YAML larger than 16 MB (save it as JSON: kubectl get … -o json)")
    for document in parse_yaml_documents(text, name):
        yield from opened("", document)


def opened(kind: str, value: object) -> Iterator[tuple[str, Any]]:
    """A value, or the objects in it if it is a list."""
    if isinstance(value, list):
        for inner in value:
            yield from opened(kind, inner)
    elif isinstance(value, dict) and isinstance(value.get("items"), list) and "spec" not in value:
        inner_kind = str(value.get("kind") or "")
        for inner in value["items"]:
            yield from opened(inner_kind, inner)
    else:
        yield kind, value


class _Buffer:
    """Window on the text: decoded text is dropped, and more is read if a value goes beyond the end."""

    def __init__(self, stream: _Text, name: str) -> None:
        self.stream = stream
        self.name = name
        self.decoder = json_decoder(name)
        self.text = ""
        self.at = 0
        self.line = 1
        self.ended = False

    def fill(self) -> bool:
        """Read more; False at the end."""
        if self.ended:
            return False
        chunk = self.stream.read(max(CHUNK, (len(self.text) - self.at) // 8))
        self.line += self.text.count("\n", 0, self.at)
        self.text = self.text[self.at :] + chunk
        self.at = 0
        self.ended = not chunk
        return bool(chunk)

    def peek(self) -> str:
        """Next character that is not a space, without consuming it; empty at the end."""
        while True:
            text, at, end = self.text, self.at, len(self.text)
            while at < end and text[at] in _SPACE:
                at += 1
            self.at = at
            if at < end:
                return text[at]
            if not self.fill():
                return ""

    def take(self, expected: str) -> None:
        """Consume one of the expected characters."""
        found = self.peek()
        if not found:
            raise SpecError(f"{self.name}:{self.here()}: the JSON ends in the middle (was the file cut off?)")
        if found not in expected:
            raise SpecError(f"{self.name}:{self.here()}: not valid JSON: expected {' or '.join(expected)}")
        self.at += 1

    def here(self) -> int:
        return self.line + self.text.count("\n", 0, self.at)

    def value(self) -> Any:
        """The next value, decoded."""
        if not self.peek():
            self.take("{")
        while True:
            try:
                value, end = self.decoder.raw_decode(self.text, self.at)
            except json.JSONDecodeError as error:
                if self.may_continue(error) and len(self.text) - self.at < LARGEST_OBJECT and self.fill():
                    continue
                raise SpecError(self.message(error)) from None
            except RecursionError:
                raise SpecError(f"{self.name}:{self.here()}: nested too deeply") from None
            if end == len(self.text) and not self.ended and self.fill():
                continue  # a number can continue in the next chunk
            self.at = end
            return value

    def may_continue(self, error: json.JSONDecodeError) -> bool:
        """Whether more text could fix the error: it is at the end, or a string is open."""
        return not self.ended and ("Unterminated string" in error.msg or error.pos >= len(self.text) - 12)

    def message(self, error: json.JSONDecodeError) -> str:
        text = json_message(error, self.name, len(self.text))
        return text.replace(f":{error.lineno}:", f":{self.line + error.lineno - 1}:", 1)

    def rest(self, limit: int) -> str | None:
        """Remaining text, None if it exceeds the limit."""
        while len(self.text) <= limit:
            if not self.fill():
                return self.text
        return None


def _json_documents(buffer: _Buffer) -> Iterator[tuple[str, Any]]:
    """Yield consecutive objects and lists."""
    while buffer.peek():
        if buffer.peek() == "[":
            yield from _array(buffer, "")
        elif buffer.peek() == "{":
            yield from _document(buffer)
        elif buffer.peek() == ",":
            buffer.at += 1
        else:
            buffer.take("{")


def _array(buffer: _Buffer, kind: str) -> Iterator[tuple[str, Any]]:
    buffer.take("[")
    if buffer.peek() == "]":
        buffer.at += 1
        return
    while True:
        yield from opened(kind, buffer.value())
        buffer.take(",]")
        if buffer.text[buffer.at - 1] == "]":
            return


def _document(buffer: _Buffer) -> Iterator[tuple[str, Any]]:
    """Yield one object; its ``items`` are yielded while they are read, the rest at the end."""
    buffer.take("{")
    rest: dict[str, Any] = {}
    streamed = False
    if buffer.peek() == "}":
        buffer.at += 1
        return
    while True:
        if buffer.peek() != '"':
            buffer.take('"')
        key = buffer.value()
        buffer.take(":")
        if key == "items" and buffer.peek() == "[" and "spec" not in rest:
            streamed = True
            yield from _array(buffer, str(rest.get("kind") or ""))
        else:
            rest[key] = buffer.value()
        buffer.take(",}")
        if buffer.text[buffer.at - 1] == "}":
            break
    if not streamed:
        yield from opened("", rest)
