"""PyYAML's loader: libyaml if PyYAML has it, otherwise its Python version, adapted to accept the same texts.

The two disagree in a few places, where PyYAML's Python part is stricter (tabs between words) or follows an older
libyaml (``?`` and ``:`` in braces and brackets). The result must not depend on how PyYAML was built.

Source
------
PyYAML 6.0 lib/yaml/scanner.py and composer.py; libyaml 0.2.5 src/scanner.c (yaml_parser_scan_to_next_token,
yaml_parser_scan_plain_scalar) and src/parser.c (the deepest nesting).
"""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from typing import Any, cast

import yaml
from yaml.composer import ComposerError
from yaml.events import CollectionEndEvent, CollectionStartEvent, ScalarEvent
from yaml.nodes import ScalarNode
from yaml.parser import ParserError
from yaml.scanner import ScannerError
from yaml.tokens import ScalarToken

from capacity.files import DEEPEST

TOO_DEEP = "maximum nesting depth"  # libyaml's message

_BREAKS = "\r\n\x85\u2028\u2029"
_BLANK = " \t"
_END = "\0" + _BLANK + _BREAKS


@cache
def yaml_loader() -> Any:
    """The loader class that composes nodes."""
    compiled = getattr(yaml, "CSafeLoader", None)
    return PythonLoader if compiled is None else type("CompiledLoader", (_TagsKept, compiled), {})


class _TagsKept:
    """A loader that caches the tag of each plain scalar: keys and most values of a document repeat."""

    def __init__(self, stream: Any) -> None:
        super().__init__(stream)  # type: ignore[call-arg]
        self._tags: dict[str, str] = {}

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        """The tag of a node without one."""
        if kind is not ScalarNode or not implicit[0]:
            return super().resolve(kind, value, implicit)  # type: ignore[misc]
        tag = self._tags.get(value)
        if tag is None:
            tag = self._tags[value] = super().resolve(kind, value, implicit)  # type: ignore[misc]
        return tag


class PythonLoader(yaml.SafeLoader):
    """PyYAML's Python part with libyaml's reading of tabs and flow indicators, and a bound on nesting."""

    def __init__(self, stream: Any) -> None:
        super().__init__(stream)
        self._depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        """A node; deeper than :data:`DEEPEST` is an error, because Python's stack is limited."""
        self._depth += 1
        event = cast(Any, self.peek_event())
        if self._depth > DEEPEST and isinstance(event, CollectionStartEvent):
            raise ComposerError(None, None, TOO_DEEP, cast(Any, event.start_mark))
        if isinstance(event, ScalarEvent) and event.tag == "!" and not event.value:
            event.implicit = (False, True)  # "!" marks text, and empty text is not null
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def scan_to_next_token(self) -> None:
        """Skip to the next token; a tab separates words wherever it cannot be indentation."""
        while True:
            if self.column == 0 and self.peek() == "\ufeff":
                self.forward()
                # libyaml counts the mark as a column, except at the start of the text
                self.column = min(self.index - 1, 1)
            while self.peek() == " " or (self.peek() == "\t" and (self.flow_level or not self.allow_simple_key)):
                self.forward()
            if self.peek() == "#":
                while self.peek() not in "\0" + _BREAKS:
                    self.forward()
            if not self.scan_line_break():
                return
            if not self.flow_level:
                self.allow_simple_key = True

    def scan_plain(self) -> Any:
        """A plain scalar; in braces and brackets it can contain ``?``, but not ``:`` before an indicator."""
        start = end = self.get_mark()
        words: list[str] = []
        between: list[str] | None = []
        while between is not None and self.peek() != "#":
            word = self._plain_word()
            if not word:
                break
            self.allow_simple_key = False
            words += [*between, word]
            end = self.get_mark()
            between = self.scan_plain_spaces(self.indent + 1, start)
            if not between or (not self.flow_level and self.column < self.indent + 1):
                break
        return ScalarToken("".join(words), plain=True, start_mark=start, end_mark=end)

    def _plain_word(self) -> str:
        length = 0
        while (character := self.peek(length)) not in _END:
            after = self.peek(length + 1)
            if self.flow_level and character == ":" and after in ",?[]{}":
                raise ScannerError("while scanning a plain scalar", None, "found unexpected ':'", self.get_mark())
            if (character == ":" and after in _END) or (self.flow_level and character in ",[]{}"):
                break
            length += 1
        word: str = self.prefix(length)
        self.forward(length)
        return word

    def scan_plain_spaces(self, indent: int, start_mark: Any) -> Any:
        """The space between two words of a plain scalar: blanks as written, or folded line breaks."""
        blanks = self._taken(_BLANK)
        if self.peek() not in _BREAKS:
            return [blanks] if blanks else []
        first = self.scan_line_break()
        self.allow_simple_key = True
        more: list[str] = []
        while not self._at_document_mark():
            if self.peek() in _BREAKS:
                more.append(self.scan_line_break())
            elif self.peek() == "\t" and self.column < indent:
                problem = "found a tab character that violates indentation"
                raise ScannerError("while scanning a plain scalar", start_mark, problem, self.get_mark())
            elif self.peek() in _BLANK:
                self.forward()
            else:
                return [*([first] if first != "\n" else [] if more else [" "]), *more]
        return None

    def scan_block_scalar_indentation(self) -> Any:
        """The indentation of a block scalar: spaces, never a tab."""
        found = super().scan_block_scalar_indentation()
        self._no_tab(self.column + 1)
        return found

    def scan_block_scalar_breaks(self, indent: int) -> Any:
        """Empty lines within a block scalar."""
        found = super().scan_block_scalar_breaks(indent)
        self._no_tab(indent)
        return found

    def scan_flow_scalar_non_spaces(self, double: bool, start_mark: Any) -> Any:
        """Text between quotes; an escape that is not a character is an error."""
        try:
            found = super().scan_flow_scalar_non_spaces(double, start_mark)
        except ValueError:  # of chr()
            found = ["\ud800"]
        if any("\ud800" <= character <= "\udfff" for part in found for character in part):
            problem = "found invalid Unicode character escape code"
            raise ScannerError("while parsing a quoted scalar", start_mark, problem, self.get_mark())
        return found

    def scan_tag(self) -> Any:
        """A tag, which can end with a tab or, in braces and brackets, a comma."""
        self._space_for_tab("," if self.flow_level and self.peek(1) != "<" else "")
        return super().scan_tag()

    def scan_directive(self) -> Any:
        """``%YAML`` or ``%TAG``; any other name is an error."""
        self._space_for_tab()
        token = super().scan_directive()
        if token.name not in ("YAML", "TAG"):
            raise ScannerError("while scanning a directive", None, "found unknown directive name", token.start_mark)
        return token

    def process_directives(self) -> Any:
        """The directives of a document, of YAML 1.1 or 1.2."""
        mark = self.peek_token().start_mark
        found = super().process_directives()
        if self.yaml_version not in (None, (1, 1), (1, 2)):
            raise ParserError(None, None, "found incompatible YAML document", mark)
        return found

    def _no_tab(self, indent: int) -> None:
        if self.peek() == "\t" and self.column < indent:
            problem = "found a tab character where an indentation space is expected"
            raise ScannerError("while scanning a block scalar", None, problem, self.get_mark())

    def _space_for_tab(self, ends: str = "") -> None:
        """Insert a space where the next word ends with a tab or a character in ``ends``, as PyYAML expects."""
        length = 0
        while self.peek(length) not in _END + ends:
            length += 1
        at = self.pointer + length
        if self.peek(length) == "\t":
            self.buffer = f"{self.buffer[:at]} {self.buffer[at + 1 :]}"
        elif ends and self.peek(length) in ends:
            self.buffer = f"{self.buffer[:at]} {self.buffer[at:]}"

    def _taken(self, characters: str) -> str:
        length = 0
        while self.peek(length) in characters:
            length += 1
        text: str = self.prefix(length)
        self.forward(length)
        return text

    def _at_document_mark(self) -> bool:
        return self.column == 0 and self.prefix(3) in ("---", "...") and self.peek(3) in _END


def yaml_message(error: Any, name: str, text: str) -> str:
    """The one-line error for a text, with the file's line if the loader gives one."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    place = f"{name}:{mark.line + 1}" if mark else name
    problem = str(getattr(error, "problem", None) or getattr(error, "reason", None) or error).split("\n")[0]
    if "found a tab character" in problem or "\\t" in problem or "'\t'" in problem:
        return f"{place}: a tab cannot indent YAML (use spaces)"
    if TOO_DEEP in problem:
        return f"{name}:{_first_too_deep(text)}: nested more than {DEEPEST} deep"
    if "but found another document" in problem or "expected a single document" in str(error):
        return f"{place}: a second document starts here (expected one plan)"
    return f"{place}: not valid YAML: {problem}"


def _first_too_deep(text: str) -> int:
    """The line of the first node that is too deep; libyaml stops only at a deeper one."""
    depth = line = 0
    event: Any
    with suppress(yaml.YAMLError):
        for event in yaml.parse(text, Loader=yaml_loader()):
            line = event.start_mark.line + 1
            depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
            if depth > DEEPEST:
                break
    return max(line, 1)
