"""Hooks of mkdocs.yml: the order of the sections, links that leave docs/ for the repository, and what is copied.

The navigation is made from the folders, so that no page can be forgotten. The button at a console block copies its
commands, without their prompts and output.
"""

from __future__ import annotations

import html
import re
import tomllib
from pathlib import Path
from typing import Any

ORDER = ("Home", "Tutorial", "How to", "Reference", "Explanation", "Decisions")
TITLES = {"How-to": "How to", "How to": "How to"}
JOBS: dict[str, list[str]] = tomllib.loads(Path(__file__).with_name("docs_jobs.toml").read_text(encoding="utf-8"))
_CONSOLE = re.compile(r'<div class="highlight">((?:(?!</div>).)*<span class="gp">\$ </span>.*?)</div>', re.DOTALL)
_LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]+)\)")


def on_nav(nav: Any, **_: Any) -> Any:
    """Sections in the order in which people need them; those not named follow."""
    for item in nav.items:
        if item.title in TITLES:
            item.title = TITLES[item.title]
        if item.title == "How to":
            item.children = _by_job(item.children)
    place = {title: index for index, title in enumerate(ORDER)}
    nav.items.sort(key=lambda item: place.get(_title(item), len(ORDER)))
    return nav


def _by_job(pages: list[Any]) -> list[Any]:
    """The how-tos in a section for each job; sections, such as the error messages, follow."""
    from mkdocs.structure.nav import Section

    by_name = {Path(page.file.src_uri).stem: page for page in pages if page.is_page}
    jobs = [Section(job, [by_name.pop(name) for name in names if name in by_name]) for job, names in JOBS.items()]
    return [*jobs, *by_name.values(), *(page for page in pages if not page.is_page)]


def on_page_content(page_html: str, **_: Any) -> str:
    """Give each console block the text that its button copies; Material for MkDocs reads it from ``data-copy``."""
    return _CONSOLE.sub(_with_commands, page_html)


def _with_commands(block: re.Match[str]) -> str:
    text = html.unescape(re.sub(r"<[^>]*>", "", block[1]))
    copied = html.escape(commands(text)).replace("\n", "&#10;")
    return block[0].replace("<div ", f'<div data-copy="{copied}" ', 1)


def commands(console: str) -> str:
    """The commands of a console block: lines after a prompt, and what continues them after a backslash.

    >>> commands("$ capacity check \\\\\\n    plan.yaml\\nOK\\n$ echo $?\\n0\\n")
    'capacity check \\\\\\n    plan.yaml\\necho $?'
    """
    found: list[str] = []
    goes_on = False
    for line in console.splitlines():
        if line.startswith("$ "):
            found.append(line[2:])
        elif goes_on:
            found.append(line.removeprefix("> "))
        goes_on = (goes_on or line.startswith("$ ")) and line.endswith("\\")
    return "\n".join(found)


def _title(item: Any) -> str:
    """Of a section; a page at the top is the home page or follows its name."""
    return "Home" if getattr(item, "is_homepage", False) else str(item.title or "")


def on_page_markdown(markdown: str, page: Any, config: Any, **_: Any) -> str:
    """Links to files of the repository outside docs/ become their path as code: the site does not hold them."""
    root = Path(config["docs_dir"]).resolve()
    here = (root / page.file.src_uri).parent

    def stay(match: re.Match[str]) -> str:
        text, target = match[1], match[2]
        if target.startswith(("#", "http://", "https://", "mailto:")):
            return match[0]
        path = (here / target.partition("#")[0]).resolve()
        if path.is_relative_to(root) or not path.exists():
            return match[0]
        shown = path.relative_to(root.parent).as_posix()
        return f"{text} (`{shown}`)" if text.strip("`") != shown else f"`{shown}`"

    return _LINK.sub(stay, markdown)
