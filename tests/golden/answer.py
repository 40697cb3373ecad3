"""Whole answers of the command as files to be read: what it printed, but for version, dates and digests."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

ANSWERS = Path(__file__).parent / "answers"
WIDTH = 160


def hold(name: str, text: str) -> None:
    """The answer is that of the file; ``REWRITE_GOLDEN=1`` writes it anew."""
    golden = ANSWERS / name
    if os.environ.get("REWRITE_GOLDEN"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


def laid_out(value: Any, indent: int = 0) -> str:
    """JSON in which all that fits on one line is on one line, so that a subnet or a lever is read at a glance."""
    flat = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or not value or indent + len(flat) <= WIDTH:
        return flat
    inner = " " * (indent + 1)
    if isinstance(value, list):
        lines = [inner + laid_out(v, indent + 1) for v in value]
        return "[\n" + ",\n".join(lines) + "\n" + inner[1:] + "]"
    lines = [f"{inner}{json.dumps(k, ensure_ascii=False)}: {laid_out(v, indent + 1)}" for k, v in value.items()]
    return "{\n" + ",\n".join(lines) + "\n" + inner[1:] + "}"
