"""Section of the report: the findings, and each fix once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from capacity.advice.findings.codes import Finding, codes
from capacity.pages.page import CodeBlock, Section, Table, TableColumn, Text
from capacity.pages.report_blocks import Block, Card
from capacity.units import counted

if TYPE_CHECKING:
    from capacity.pages.report_material import Material


ORDER = {"error": 0, "warning": 1, "info": 2}
_FINDINGS = (
    TableColumn("severity", "severity"),
    TableColumn("code", "code"),
    TableColumn("message", "finding"),
    TableColumn("scenario", "scenario", 1),
    TableColumn("frees", "fix frees", 2),
    TableColumn("fix", "fix"),
)
_KEYS = ("code", "where")
_CODES = (
    TableColumn("code", "code"),
    TableColumn("title", "what"),
    TableColumn("why", "why it matters"),
    TableColumn("source", "source"),
)


def findings_section(material: Material) -> Section:
    """Every finding in one table, the most severe first; then one card per fix; then what the codes mean."""
    if not material.findings:
        return Section("findings", "Findings and fixes", [Text("No findings.")])
    found = sorted(material.findings, key=lambda f: (ORDER[f.severity], f.code))
    cards = _by_fix(found)
    named = {id(f): card for card, mine in cards.items() for f in mine}
    rows = [_row(f, named[id(f)]) for f in found]
    used = dict.fromkeys(f.code for f in found)
    meanings = [
        {"code": c, "title": codes()[c].title, "why": codes()[c].why, "source": codes()[c].source} for c in used
    ]
    blocks: list[Block] = [Table(_FINDINGS, rows, "Findings, the most severe first", name="Findings", keys=_KEYS)]
    blocks += [_card(name, mine, material) for name, mine in cards.items()]
    blocks.append(Table(_CODES, meanings, "What the codes mean", folded=True))
    return Section("findings", "Findings and fixes", blocks)


def _row(found: Finding, card: str) -> dict[str, Any]:
    return {
        "severity": found.severity,
        "code": found.code,
        "message": found.message,
        "scenario": found.scenario or "all scenarios",
        "frees": found.fix.get("frees"),
        "fix": card,
        "where": found.where,
    }


def _by_fix(found: Sequence[Finding]) -> dict[str, list[Finding]]:
    """The findings by their fix: ``Fix 1`` for a change that was checked, the code for advice."""
    patches = dict.fromkeys(str(f.fix["patch"]) for f in found if f.fix.get("patch"))
    numbers = {patch: f"Fix {i}" for i, patch in enumerate(patches, 1)}
    cards: dict[str, list[Finding]] = {name: [] for name in numbers.values()}
    for one in found:
        cards.setdefault(numbers.get(str(one.fix.get("patch")), one.code), []).append(one)
    return cards


def _card(name: str, found: Sequence[Finding], material: Material) -> Card:
    """A fix with what to paste, or the advice of a code."""
    first, level = found[0], found[0].severity
    advice = dict.fromkeys(str(f.fix.get("summary") or codes()[f.code].fix) for f in found)
    if not first.fix.get("patch"):
        return Card(f"{name}: {codes()[first.code].title}", level, [Text(_sentence(text)) for text in advice])
    chosen = material.fixes.found if material.fixes is not None else None
    same = chosen is not None and dict(chosen.patch) == first.fix["patch"]
    told = "The fix of the section Decision." if same else _sentence("; ".join(advice))
    title = f"{name} resolves {counted(len(found), 'finding')} (re-checked)"
    return Card(title, "", [Text(told), *_snippets(first)])


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."


def _snippets(found: Finding) -> list[CodeBlock]:
    patch, commands = (found.fix.get(k) for k in ("patch", "commands"))
    snippets = []
    if patch:
        snippets.append(CodeBlock(patch if isinstance(patch, str) else _yaml(patch), "change in the plan"))
    if commands:
        lines = commands if isinstance(commands, str) else "\n".join(map(str, _list(commands)))
        snippets.append(CodeBlock(lines, "commands"))
    return snippets


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _yaml(value: object) -> str:
    import yaml

    text: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, default_flow_style=False)
    return text
