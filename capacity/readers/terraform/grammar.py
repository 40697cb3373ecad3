"""Parse Terraform expressions into a tree of tuples. Grammar: hashicorp/hcl hclsyntax/spec.md."""

from __future__ import annotations

import re
from typing import Any

DEEPEST = 60  # levels of an expression
_TOKEN = re.compile(
    r"\s*(?:(?P<number>[0-9]+(?:\.[0-9]+)?)|(?P<name>[A-Za-z_][A-Za-z0-9_-]*)|(?P<quote>\")"
    r"|(?P<op>=>|==|!=|<=|>=|&&|\|\||\.\.\.|[-+*/%!<>?:=()\[\]{},.])|(?P<newline>$))"
)


class BadExpression(ValueError):
    """The text is not an expression of the supported kind."""


class Parser:
    """Parser from text to a tree of tuples ``(kind, …)``."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0

    def peek(self) -> tuple[str, str, int]:
        match = _TOKEN.match(self.text, self.at)
        if match is None or match.lastgroup is None:
            raise BadExpression(self.text[self.at : self.at + 20])
        return match.lastgroup, match[match.lastgroup], match.end()

    def taken(self, *wanted: str) -> bool:
        kind, value, end = self.peek()
        if kind in ("op", "name") and value in wanted:
            self.at = end
            return True
        return False

    def need(self, wanted: str) -> None:
        if not self.taken(wanted):
            raise BadExpression(f"expected {wanted} at {self.text[self.at : self.at + 20]}")

    def whole(self) -> Any:
        tree = self.expression()
        if self.peek()[0] != "newline":
            raise BadExpression(self.text[self.at : self.at + 20])
        return tree

    def expression(self) -> Any:
        self.depth += 1
        if self.depth > DEEPEST:
            raise BadExpression("nested too deeply")
        tree = self.binary(0)
        if self.taken("?"):
            yes = self.expression()
            self.need(":")
            tree = ("if", tree, yes, self.expression())
        self.depth -= 1
        return tree

    _LEVELS = (("||",), ("&&",), ("==", "!="), ("<", ">", "<=", ">="), ("+", "-"), ("*", "/", "%"))

    def binary(self, level: int) -> Any:
        if level == len(self._LEVELS):
            return self.unary()
        tree = self.binary(level + 1)
        while True:
            _, value, end = self.peek()
            if value not in self._LEVELS[level]:
                return tree
            self.at = end
            tree = ("op", value, tree, self.binary(level + 1))

    def unary(self) -> Any:
        if self.taken("!"):
            return ("not", self.unary())
        if self.taken("-"):
            return ("op", "-", ("value", 0), self.unary())
        return self.postfix(self.primary())

    def postfix(self, tree: object) -> Any:
        while True:
            if self.taken("."):
                tree = (
                    ("splat", tree, self.steps(indexes=False)) if self.taken("*") else ("get", tree, self.attribute())
                )
            elif self.taken("["):
                if self.taken("*"):
                    self.need("]")
                    tree = ("splat", tree, self.steps(indexes=True))
                else:
                    tree = ("get", tree, self.expression())
                    self.need("]")
            else:
                return tree

    def attribute(self) -> Any:
        kind, value, self.at = self.peek()
        if kind not in ("name", "number"):
            raise BadExpression(value)
        return ("value", value)

    def steps(self, *, indexes: bool) -> list[Any]:
        """Attributes, and for ``[*]`` also indexes, that apply to each element of a splat."""
        found: list[Any] = []
        while True:
            start = self.at
            if self.taken("."):
                if self.peek()[1] == "*":
                    self.at = start
                    return found
                found.append(self.attribute())
            elif indexes and self.taken("["):
                if self.taken("*"):
                    self.at = start
                    return found
                found.append(self.expression())
                self.need("]")
            else:
                return found

    def primary(self) -> Any:
        kind, value, end = self.peek()
        if kind == "quote":
            return self.string(end)
        self.at = end
        if kind == "number":
            return ("number", value)
        if kind == "name":
            return self.named(value)
        if value == "(":
            tree = self.expression()
            self.need(")")
            return tree
        if value == "[":
            return self.list_or_for("]")
        if value == "{":
            return self.list_or_for("}")
        raise BadExpression(value)

    def named(self, name: str) -> Any:
        if name in ("true", "false", "null"):
            return ("value", {"true": True, "false": False, "null": None}[name])
        if self.peek()[1] == "(" and self.peek()[0] == "op":
            self.need("(")
            arguments = []
            while not self.taken(")"):
                argument = self.expression()
                arguments.append(("each", argument) if self.taken("...") else argument)
                self.taken(",")
            return ("call", name, arguments)
        return ("name", name)

    def list_or_for(self, closing: str) -> Any:
        if self.taken("for"):
            return self.for_each(closing)
        entries: list[Any] = []
        while not self.taken(closing):
            entry = self.expression()
            if closing == "}":
                if not self.taken("="):
                    self.need(":")
                entry = (entry, self.expression())
            entries.append(entry)
            self.taken(",")
        return ("list" if closing == "]" else "object", entries)

    def for_each(self, closing: str) -> Any:
        names = [self.name()]
        if self.taken(","):
            names.append(self.name())
        self.need("in")
        over = self.expression()
        self.need(":")
        result: Any = self.expression()
        key, grouped = None, False
        if closing == "}":
            self.need("=>")
            key, result = result, self.expression()
            grouped = self.taken("...")
        condition = self.expression() if self.taken("if") else None
        self.need(closing)
        return ("for", names, over, key, result, condition, grouped)

    def name(self) -> str:
        kind, value, self.at = self.peek()
        if kind != "name":
            raise BadExpression(value)
        return value

    def string(self, start: int) -> Any:
        """Parse a quoted template."""
        tree, self.at = template(self.text, start, quoted=True)
        return tree


_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}


def template(text: str, at: int = 0, *, quoted: bool = False) -> tuple[Any, int]:
    """Tree of a template and its end: to the closing quote, or the whole text of a heredoc or file.

    Source
    ------
    hashicorp/hcl hclsyntax/spec.md "Template Expressions". Directives (``%{if …}``) and strip markers are not
    evaluated.
    """
    parts: list[Any] = []
    plain: list[str] = []
    while at < len(text):
        char = text[at]
        if quoted and char == '"':
            return ("template", [*parts, ("value", "".join(plain))]), at + 1
        if quoted and char == "\\":
            letter, at = _escaped(text, at + 1)
            plain.append(letter)
        elif text.startswith(("$${", "%%{"), at):
            plain.append(text[at + 1 : at + 3])
            at += 3
        elif text.startswith("%{", at):
            raise BadExpression("a directive")
        elif text.startswith("${", at):
            end = _closing(text, at + 2)
            inner = text[at + 2 : end]
            if inner.startswith("~") or inner.endswith("~"):
                raise BadExpression("a strip marker")
            parts += [("value", "".join(plain)), Parser(inner).whole()]
            plain = []
            at = end + 1
        else:
            plain.append(char)
            at += 1
    if quoted:
        raise BadExpression("an open string")
    return ("template", [*parts, ("value", "".join(plain))]), at


def _escaped(text: str, at: int) -> tuple[str, int]:
    letter = text[at : at + 1]
    if letter in ("u", "U"):
        digits = text[at + 1 : at + (5 if letter == "u" else 9)]
        try:
            return chr(int(digits, 16)), at + 1 + len(digits)
        except (ValueError, OverflowError):
            raise BadExpression(digits) from None
    if letter not in _ESCAPES:
        raise BadExpression(letter)
    return _ESCAPES[letter], at + 1


def _closing(text: str, at: int) -> int:
    """Position of the closing brace for the one opened before ``at``."""
    depth, quoted = 1, False
    while at < len(text):
        char = text[at]
        if char == "\\":
            at += 1
        elif char == '"':
            quoted = not quoted
        elif char == "{" and not quoted:
            depth += 1
        elif char == "}" and not quoted:
            depth -= 1
            if depth == 0:
                return at
        at += 1
    raise BadExpression("an open brace")
