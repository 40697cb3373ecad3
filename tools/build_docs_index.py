"""Writes the list of all pages at the end of docs/README.md, from their own titles.

python tools/build_docs_index.py
"""

from __future__ import annotations

from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"
INDEX = DOCS / "README.md"
START = "<!-- all pages: made by `make docs-reference` -->"
FOLDERS = {"tutorial": "Tutorial", "how-to": "How to", "explanation": "Explanation", "reference": "Reference"}


def render(text: str) -> str:
    """The index with its list made anew."""
    kept = text.partition(START)[0]
    lines = [START, "## All pages", ""]
    for folder, title in FOLDERS.items():
        found = [f"[{name_of(p)}]({p.relative_to(DOCS).as_posix()})" for p in sorted((DOCS / folder).glob("*.md"))]
        lines += [f"**{title}**: " + " · ".join(found), ""]
    return kept + "\n".join(lines[:-1]) + "\n"


def name_of(page: Path) -> str:
    """A page's title without markup."""
    first = page.read_text(encoding="utf-8").splitlines()[0]
    return first.lstrip("# ").replace("`", "").replace("[", "").replace("]", "")


if __name__ == "__main__":
    INDEX.write_text(render(INDEX.read_text(encoding="utf-8")), encoding="utf-8")
