"""The parts of a Markdown file that can be checked: fenced blocks, headings, links."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

REPO = Path(__file__).parents[2]
_FENCE = re.compile(
    r"^(?P<indent> *)(?P<ticks>`{3,})(?P<language>[\w-]*)[^\n]*\n(?P<text>.*?)^(?P=indent)(?P=ticks) *$", re.M | re.S
)


@dataclass(frozen=True)
class Block:
    """A fenced block: where it stands, what it says it is, and its lines."""

    path: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.path.relative_to(REPO)}:{self.line}"


def pages() -> list[Path]:
    """Every Markdown file that git knows or would add, in a fixed order."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=REPO,
        capture_output=True,
        text=True,
        check=True,
    )
    return [path for name in sorted(set(listed.stdout.splitlines())) if (path := REPO / name).exists()]


def blocks(path: Path) -> list[Block]:
    text = path.read_text(encoding="utf-8")
    found = []
    for match in _FENCE.finditer(text):
        indent = len(match["indent"])
        body = "".join(line[indent:] if line.strip() else line for line in match["text"].splitlines(keepends=True))
        found.append(Block(path, text.count("\n", 0, match.start()) + 1, match["language"], body))
    return found


def prose(path: Path) -> str:
    """The text without fenced blocks, and without brackets in code spans: what can hold headings and links."""
    text = _FENCE.sub("", path.read_text(encoding="utf-8"))
    return re.sub(r"`[^`\n]*`", lambda span: re.sub(r"[\[\]()]", "", span[0]), text)


def links(path: Path) -> list[str]:
    """Targets of inline links and images that stay inside the repository."""
    targets = re.findall(r"\]\(<?([^)\s>]+)>?(?: \"[^\"]*\")?\)", prose(path))
    return [target for target in targets if not re.match(r"[a-z][a-z+.-]*:", target)]


def anchors(path: Path) -> set[str]:
    """The fragment of each heading, as code hosts make it: lower case, no punctuation, dashes for spaces."""
    found: set[str] = set()
    for heading in re.findall(r"^#{1,6} +(.+?) *#*$", prose(path), re.M):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        same = sum(1 for known in found if known == slug or re.fullmatch(re.escape(slug) + r"-\d+", known))
        found.add(f"{slug}-{same}" if same else slug)
    return found
