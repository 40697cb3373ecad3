"""Help pages whose lines do not break inside a word with a hyphen, such as us-east-1 or kube-proxy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from typer.core import TyperGroup

_UNBROKEN = "\N{NON-BREAKING HYPHEN}"
_CONTEXT: Any = TyperGroup.context_class  # click's own, or the copy of click that typer brings


class HelpFormatter(_CONTEXT.formatter_class):  # type: ignore[misc]
    """Click's formatter; a non-breaking hyphen replaces each hyphen while click wraps the text."""

    def write_text(self, text: str) -> None:
        super().write_text(text.replace("-", _UNBROKEN))

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        super().write_dl([(term, text.replace("-", _UNBROKEN)) for term, text in rows], col_max, col_spacing)

    def write(self, string: str) -> None:
        super().write(string.replace(_UNBROKEN, "-"))


class HelpContext(_CONTEXT):  # type: ignore[misc]
    """The context of a command, with the formatter of its help."""

    formatter_class = HelpFormatter
