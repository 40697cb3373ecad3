"""Writes the list of all pages at the end of docs/README.md: how-tos by job, other pages by their titles.

python tools/build_docs_index.py
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"
INDEX = DOCS / "README.md"
START = "<!-- all pages: made by `make docs-reference` -->"
FOLDERS = {"tutorial": "Tutorial", "explanation": "Explanation", "reference": "Reference"}
JOBS: dict[str, list[str]] = tomllib.loads(Path(__file__).with_name("docs_jobs.toml").read_text(encoding="utf-8"))


def render(text: str) -> str:
    """The index with its list made anew."""
    kept = text.partition(START)[0]
    lines = [START, "## How to", ""]
    lines += [f"- **{job}**: {_links(DOCS / 'how-to' / f'{name}.md' for name in names)}" for job, names in JOBS.items()]
    lines += [
        "- **Understand an error message**: [error messages](how-to/errors/README.md)",
        "",
        "## All other pages",
        "",
    ]
    for folder, title in FOLDERS.items():
        lines += [f"**{title}**: {_links(sorted((DOCS / folder).glob('*.md')))}", ""]
    return kept + "\n".join(lines[:-1]) + "\n"


def _links(pages: Iterable[Path]) -> str:
    return " · ".join(f"[{name_of(p)}]({p.relative_to(DOCS).as_posix()})" for p in pages)


def name_of(page: Path) -> str:
    """A page's title without markup."""
    first = page.read_text(encoding="utf-8").splitlines()[0]
    return first.lstrip("# ").replace("`", "").replace("[", "").replace("]", "")


if __name__ == "__main__":
    INDEX.write_text(render(INDEX.read_text(encoding="utf-8")), encoding="utf-8")
