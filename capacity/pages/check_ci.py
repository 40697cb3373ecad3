"""A check in formats for CI systems: GitHub annotations, JUnit, SARIF."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from capacity.advice.findings.codes import Finding, codes
from capacity.advice.fix_summary import fix_sentence
from capacity.advice.fixes import Fixes
from capacity.advice.summary import verdict_sentence
from capacity.cluster.check import CheckResult
from capacity.cluster.engine import unplaced_verdict
from capacity.cluster.scenario import ScenarioState
from capacity.cluster.unplaced import without_address
from capacity.inert import log_line, log_text, printable, xml_text
from capacity.pages.fix_page import plan_changes
from capacity.plan.locate import FilePlace, place_of
from capacity.vpc.ledger import SubnetState, worst

LEVELS = {"error": "error", "warning": "warning", "info": "note"}  # SARIF 2.1.0 §3.27.10
COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}
MOST_CHANGES = 3  # of the plan, shown with a fix
ANNOTATIONS_PER_STEP = 10  # GitHub shows so many of each kind
SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


# --- GitHub annotations -----------------------------------------------------------------


def github(result: CheckResult, found: Sequence[Finding], fixes: Fixes | None = None) -> str:
    """Workflow commands, one per finding, the worst first; the verdict and the fix as plain lines of the log.

    Source
    ------
    actions/toolkit@a944251 packages/core/src/command.ts L73-89 (what is escaped).
    """
    lines = [log_line(verdict_sentence(result))]
    if fixes is not None:
        lines.append(log_line(f"fix: {fix_sentence(fixes)}"))
    for f in found:
        place = _relative(place_of(result.plan, f.where))
        properties = {"file": place.file, "line": place.line, "title": f"{f.code} {codes()[f.code].title}"}
        shown = ",".join(f"{k}={_property(str(v))}" for k, v in properties.items() if v is not None)
        lines.append(f"::{COMMANDS[f.severity]} {shown}::{_data(_with_fix(f, fixes))}")
    for severity, command in COMMANDS.items():
        count = sum(f.severity == severity for f in found)
        if count > ANNOTATIONS_PER_STEP:
            lines.append(
                f"GitHub shows {ANNOTATIONS_PER_STEP} of the {count} annotations of kind {command}; all above."
            )
    return "\n".join(lines) + "\n"


def message_of(found: Finding) -> str:
    """The finding, with its scenario first."""
    return f"{found.scenario}: {found.message}" if found.scenario else found.message


def _with_fix(found: Finding, fixes: Fixes | None) -> str:
    """The finding, followed by its fix if one was found."""
    if fixes is None or fixes.answer is None or "patch" not in found.fix:
        return message_of(found)
    return f"{message_of(found)}\n{_fix_lines(fixes, found.fix.get('frees'))}"


def _fix_lines(fixes: Fixes, frees: object = None) -> str:
    """The fix that the search found, with the change of the plan; ``frees`` if it is known for one subnet."""
    lines = [f"Fix: {fix_sentence(fixes)}"]
    if isinstance(frees, int):
        lines.append(f"Free addresses here in the worst scenario: {frees:+,}.")
    found = fixes.found
    if found is not None:
        changes, rest = plan_changes(found, MOST_CHANGES)
        lines.append(f"In the plan: {', '.join(changes)}{f' and {rest:,} more' if rest else ''}")
    return "\n".join(lines)


_AT = re.compile(r"^(?P<file>[^\n:<][^\n:]*):(?P<line>[0-9]+)\b")


def annotation_of(message: str) -> str:
    """The message of an error as an annotation, at the file and line it starts with."""
    match = _AT.match(message)
    place = _relative(FilePlace(match["file"], int(match["line"]))) if match else FilePlace(None, None)
    at = f"file={_property(place.file)},line={place.line}," if place.file else ""
    return f"::error {at}title=capacity%3A the plan cannot be read::{_data(printable(message))}\n"


def _data(lines: str) -> str:
    """The message of a workflow command, with names escaped."""
    shown = "\n".join(map(printable, lines.split("\n")))
    return log_text(shown.replace("%", "%25").replace("\n", "%0A"))


def _property(text: str) -> str:
    """A property of a workflow command."""
    return _data(printable(text)).replace(":", "%3A").replace(",", "%2C")


def _relative(place: FilePlace) -> FilePlace:
    """The file name relative to GITHUB_WORKSPACE if it is set, otherwise to the working directory."""
    if place.file is None:
        return place
    path = Path(place.file).resolve()
    for root in (os.environ.get("GITHUB_WORKSPACE"), os.getcwd()):
        if root and path.is_relative_to(Path(root).resolve()):
            return FilePlace(path.relative_to(Path(root).resolve()).as_posix(), place.line)
    return FilePlace(path.as_posix(), place.line)


# --- JUnit ------------------------------------------------------------------------------


def junit(result: CheckResult, fail_on: str, fixes: Fixes | None = None) -> str:
    """One suite per scenario, one case per subnet and one for the pods; a case fails if it affects the exit code.

    A failure's text ends with the fix, which is one for all.
    """
    from xml.etree import ElementTree

    bad = ("exhausted",) if fail_on == "error" else ("exhausted", "tight")
    fix = "" if fixes is None else f"\n{_fix_lines(fixes)}"
    root = ElementTree.Element("testsuites", name=xml_text(f"capacity check {result.plan.name}"))
    for state in result.scenarios:
        suite = ElementTree.SubElement(root, "testsuite", name=xml_text(state.title))
        cases = list(_cases(state))
        for name, verdict, text in cases:
            case = ElementTree.SubElement(
                suite, "testcase", classname=xml_text(state.title), name=xml_text(name), time="0"
            )
            if verdict in bad:
                failure = ElementTree.SubElement(case, "failure", message=xml_text(text), type=verdict)
                failure.text = xml_text(f"{text}\n{state.rule}{fix}")
            else:
                ElementTree.SubElement(case, "system-out").text = xml_text(f"{verdict}: {text}")
        failed = sum(verdict in bad for _, verdict, _ in cases)
        suite.attrib.update(tests=str(len(cases)), failures=str(failed), errors="0", skipped="0", time="0")
    for key in ("tests", "failures", "errors"):
        root.set(key, str(sum(int(suite.get(key, "0")) for suite in root)))
    ElementTree.indent(root)
    text = ElementTree.tostring(
        root, encoding="us-ascii", xml_declaration=False
    ).decode()  # whatever the stream's encoding
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _cases(state: ScenarioState) -> Iterator[tuple[str, str, str]]:
    """Name, verdict and figures of each case."""
    for s in state.left:
        verdict = state.weighed(s.verdict)
        yield f"subnet {s.subnet.name}", verdict, _figures(s)
    said = [f"{u}: limited by {u.lack}" for u in state.unplaced]
    verdict = worst([unplaced_verdict(u) for u in state.unplaced])
    yield "every pod is scheduled", verdict, "; ".join(said) or "all pods are scheduled"
    stuck = [
        without_address(g.pods_without_address, g.shape.group.name) for g in state.groups if g.pods_without_address
    ]
    verdict = state.weighed("exhausted") if stuck else "ok"
    yield "every pod gets an address", verdict, "; ".join(stuck) or "all pods get an address"
    if state.update_room:
        text = ", ".join(f"{free:,} free in {name}" for name, free in state.update_room.items())
        yield "EKS accepts the control-plane update", "exhausted" if state.refused else "ok", text


def _figures(state: SubnetState) -> str:
    subnet = state.subnet
    name = f"{subnet.name} ({subnet.cidr}, {subnet.zone})"
    held = f"{state.used_total:,} of {subnet.usable:,} addresses held, {state.used_lowest:,} to {state.used_highest:,}"
    if state.free < 0:
        return f"{name}: {held} depending on placement, {-state.free:,} short"
    placed = "" if state.prefixes_placed else "; its prefixes and single addresses do not fit together"
    return f"{name}: {held} depending on placement, {state.free:,} free{placed}"


# --- SARIF ------------------------------------------------------------------------------


def sarif(result: CheckResult, found: Sequence[Finding], fixes: Fixes | None = None) -> str:
    """A SARIF 2.1.0 log: the codes as rules with their help, the findings as results on lines of the plan.

    The fix of a finding is in its message, which is what viewers show, and in its property bag for programs.
    A SARIF ``fix`` object would have to be an edit of the file; ``capacity check --fix-out`` writes that.
    """
    summary = {"verdict": result.verdict, "summary": verdict_sentence(result)}
    properties = summary | ({} if fixes is None else {"fix": fix_sentence(fixes)})
    return sarif_log([_result(f, result, fixes) for f in found], properties)


def sarif_log(results: Sequence[dict[str, Any]], properties: dict[str, Any]) -> str:
    """A SARIF log with one run: all finding codes as rules, and some results."""
    from capacity import __version__

    driver = {"name": "capacity", "semanticVersion": __version__, "rules": [_rule(code) for code in codes()]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": list(results),
        "properties": properties,
    }
    log = {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2) + "\n"


def _rule(code: str) -> dict[str, Any]:
    entry = codes()[code]
    text = f"{entry.what}\n\nWhy: {entry.why}\n\nFix: {entry.fix}\n\nSource: {entry.source}"
    markdown = f"{entry.what}\n\n**Why:** {entry.why}\n\n**Fix:** {entry.fix}\n\n**Source:** {entry.source}"
    return {
        "id": code,
        "name": "".join(word.capitalize() for word in re.findall(r"[A-Za-z0-9]+", entry.title)),
        "shortDescription": {"text": entry.title},
        "fullDescription": {"text": entry.what},
        "help": {"text": text, "markdown": markdown},
        "defaultConfiguration": {"level": LEVELS[entry.severity]},
    }


def _sarif_text(text: str) -> str:
    """A message in which no name is a link (SARIF 2.1.0 §3.11.6: ``[text](target)``, brackets escaped)."""
    return re.sub(r"[\[\]]", r"\\\g<0>", text) if "](" in text else text


def _result(found: Finding, result: CheckResult, fixes: Fixes | None) -> dict[str, Any]:
    place = place_of(result.plan, found.where)
    one = sarif_result(found.code, found.severity, found.where, _with_fix(found, fixes), place)
    return one | {"properties": {"fix": dict(found.fix)}}


def sarif_result(code: str, severity: str, where: str, message: str, place: FilePlace) -> dict[str, Any]:
    """One result of a SARIF log."""
    place = _relative(place)
    location: dict[str, Any] = {"logicalLocations": [{"fullyQualifiedName": where}]}
    if place.file is not None:
        location["physicalLocation"] = {"artifactLocation": {"uri": quote(place.file)}}
        if place.line is not None:
            location["physicalLocation"]["region"] = {"startLine": place.line}
    return {
        "ruleId": code,
        "ruleIndex": list(codes()).index(code),
        "level": LEVELS[severity],
        "message": {"text": _sarif_text(message)},
        "locations": [location],
        "partialFingerprints": {"capacityFinding/v1": f"{code}:{where}"},
    }
