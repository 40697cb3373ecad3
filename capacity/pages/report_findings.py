"""Section of the report: the findings with their fixes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Sequence
from typing import TYPE_CHECKING

from capacity.advice.findings.codes import Finding, codes
from capacity.pages.cells import shown
from capacity.pages.page import CodeBlock, Section, Text
from capacity.pages.report_blocks import Advice, Block, Place

if TYPE_CHECKING:
    from capacity.pages.report_material import Material


def findings_section(material: Material) -> Section:
    """Changes that resolve several findings, each once; then one entry per code and fix, the worst first."""
    order = {"error": 0, "warning": 1, "info": 2}
    kinds: dict[tuple[int, str, str, str], list[Finding]] = {}
    for found in material.findings:
        key = (order[found.severity], found.code, found.severity, str(found.fix.get("summary") or ""))
        kinds.setdefault(key, []).append(found)
    fixes = Counter(str(f.fix["patch"]) for f in material.findings if f.fix.get("patch"))
    shared = frozenset(patch for patch, count in fixes.items() if count > 1)
    blocks: list[Block] = []
    for patch in fixes:
        if patch in shared:
            first = next(f for f in material.findings if str(f.fix.get("patch")) == patch)
            words = f"One change resolves {fixes[patch]} of these findings (re-checked): "
            blocks += [Text(f"{words}{first.fix.get('summary', '')}."), *_snippets(first)]
    blocks += [_advice(code, severity, fix, kinds[k], shared) for k in sorted(kinds) for _, code, severity, fix in [k]]
    return Section("findings", "Findings and fixes", blocks or [Text("No findings.")])


def _advice(name: str, severity: str, fix: str, found: Sequence[Finding], shared: Container[str]) -> Advice:
    code = codes()[name]
    places = tuple(_place(f, shared) for f in found)
    return Advice(name, severity, code.title, code.why, fix or code.fix, code.source, places)


def _place(found: Finding, shared: Container[str]) -> Place:
    """One place; a fix that also resolves others is shown above all of them."""
    frees = found.fix.get("frees")
    return Place(
        message=found.message,
        where=found.where,
        scenario=found.scenario or "all scenarios",
        frees="" if frees in (None, 0, "") else shown(frees),
        snippets=() if str(found.fix.get("patch")) in shared else tuple(_snippets(found)),
    )


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
