"""The report's section on Services: there if the plan has them, and the figures of `capacity services`."""

from __future__ import annotations

import json
from pathlib import Path

from capacity.pages.page import Section, Table
from capacity.pages.report_page import report_page
from tests.cli.entry import capacity
from tests.report.plans import EXAMPLE, material_of

SERVICES = Path(EXAMPLE).with_name("services.yaml")


def section(path: Path) -> Section | None:
    page = report_page(material_of(path, ["steady"]))
    return next((s for s in page.sections() if s.anchor == "services"), None)


def test_a_plan_without_services_has_no_section() -> None:
    assert section(EXAMPLE) is None


def test_the_figures_are_those_of_the_command() -> None:
    found = section(SERVICES)
    assert found is not None
    modes, *others = [block for block in found.blocks if isinstance(block, Table)]
    answer = json.loads(capacity("services", str(SERVICES), "--peak", "-o", "json").stdout)["results"]
    assert {r["mode"]: r["rules"] for r in modes.rows} == {m["mode"]: m["rules"]["total"] for m in answer["modes"]}
    assert [table.title for table in others][-2:] == [
        "Load balancers",
        "One load balancer for each Service, or a shared one",
    ]


def test_load_balancers_alone(tmp_path: Path) -> None:
    text = SERVICES.read_text(encoding="utf-8")
    head, _, rest = text.partition("services:\n  - {")
    plan = tmp_path / "plan.yaml"
    plan.write_text(f"{head}tenants:{rest.rpartition('tenants:')[2]}")
    found = section(plan)
    assert found is not None
    assert [block.title for block in found.blocks if isinstance(block, Table)] == ["Load balancers"]
