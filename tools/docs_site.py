"""Hooks of mkdocs.yml: the order of the sections, and links that leave docs/ for the repository.

The navigation is made from the folders, so that no page can be forgotten.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

ORDER = ("Home", "Tutorial", "How to", "Reference", "Explanation", "Decisions")
TITLES = {"How-to": "How to", "How to": "How to"}
_LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]+)\)")


def on_nav(nav: Any, **_: Any) -> Any:
    """Sections in the order in which people need them; those not named follow."""
    for item in nav.items:
        if item.title in TITLES:
            item.title = TITLES[item.title]
    place = {title: index for index, title in enumerate(ORDER)}
    nav.items.sort(key=lambda item: place.get(_title(item), len(ORDER)))
    return nav


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
