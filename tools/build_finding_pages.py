"""Writes a page for every finding code, and their index, from data/findings.toml.

python tools/build_finding_pages.py
"""

from __future__ import annotations

from pathlib import Path

from capacity.advice.findings.codes import Code, codes

FOLDER = Path(__file__).parents[1] / "docs" / "reference" / "findings"


def page(code: Code) -> str:
    """One code: what, why, fix, source."""
    return f"""# {code.code}: {code.title}

Severity: {code.severity}. In the terminal: `capacity explain {code.code}`.

## What it says

{code.what}

## Why it matters

{code.why}

## How to fix it

{code.fix}

## Source

{code.source}
"""


def index(all_codes: dict[str, Code]) -> str:
    """The table of all codes."""
    rows = [f"| [{c.code}]({c.code}.md) | {c.severity} | {c.title} |" for c in all_codes.values()]
    head = "# Findings of `capacity check`\n\nGenerated from `data/findings.toml` by `make docs-reference`.\n"
    return "\n".join([head, "| code | severity | title |", "|---|---|---|", *rows]) + "\n"


def pages() -> dict[str, str]:
    """File name and text of every page."""
    found = {f"{code.code}.md": page(code) for code in codes().values()}
    return found | {"README.md": index(codes())}


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.glob("*.md"):
        old.unlink()
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
