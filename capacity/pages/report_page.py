"""The report: the decision first, then the evidence, then what it rests on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from capacity.pages.answer import Answer
from capacity.pages.check_page import answer as check_answer
from capacity.pages.check_page import verdict_of
from capacity.pages.page import FigureList, Page, Section, Verdict
from capacity.pages.report_beside import facts_beside, pairs
from capacity.pages.report_decision import about, decision_section, key_figures
from capacity.pages.report_findings import findings_section
from capacity.pages.report_free_share import free_share_section
from capacity.pages.report_groups import cost_section, groups_section, sizing_section
from capacity.pages.report_model import model_section
from capacity.pages.report_outlook import forecast_section, what_if_section
from capacity.pages.report_over_time import over_time_section
from capacity.pages.report_services import services_section
from capacity.pages.report_sources import assumptions_section, reproduce_section
from capacity.pages.report_subnets import scenarios_section, subnets_section

if TYPE_CHECKING:
    from capacity.pages.report_material import Material


SECTIONS: tuple[Callable[[Material], Section], ...] = (
    decision_section,
    free_share_section,
    findings_section,
    subnets_section,
    groups_section,
    cost_section,
    sizing_section,
    services_section,
    over_time_section,
    forecast_section,
    what_if_section,
    scenarios_section,
    model_section,
    assumptions_section,
    reproduce_section,
)
"""The sections in the order in which a reviewer asks; one without blocks is left out."""


def report_page(material: Material) -> Page:
    """The content of the report."""
    sections = [section(material) for section in SECTIONS]
    figures = key_figures(material)
    if material.today is not None:
        sections = list(pairs(sections, [section(material.today) for section in SECTIONS[1:]]))
        figures = facts_beside(figures, key_figures(material.today))
    name = material.result.plan.name
    title = f"Pod-IP capacity of {name}" if name else "Pod-IP capacity"
    first: list[Verdict | FigureList] = [about(material), verdict_of(material.result), figures]
    return Page([*first, *(s for s in sections if s.blocks)], title, material.order)


def answer(page: Page, material: Material) -> Answer:
    """The report as an answer of the formats that every verb has: its tables as data."""
    checked = check_answer(material.result, material.findings, fixes=material.fixes, cost=material.cost)
    tables = [
        {
            "section": s.anchor,
            "title": t.title,
            "columns": [c.key for c in t.columns],
            "rows": [dict(r) for r in t.rows],
        }
        for s, t in report_page(replace(material, today=None)).tables()
    ]
    results = {"title": page.title, "answer": page.verdict.sentence, **checked.results, "tables": tables}
    if material.today is not None:
        from capacity.advice.compare import compare
        from capacity.pages.compare_page import results_json

        results["against"] = results_json(compare(material.today.result, material.result))
    if material.sizing is not None:
        from capacity.optimize.rows import results_json as sizing_json

        results["sizing"] = sizing_json(material.sizing, nodes=False)
    if material.simulations:
        from capacity.pages.simulate_page import summary_json

        results["simulations"] = [summary_json(found) for found in material.simulations.values()]
    on_data = [*material.price_notes, *material.limit_notes]
    return Answer("report", checked.inputs, results, page, checked.rows, checked.warnings, on_data=on_data, dated=False)
