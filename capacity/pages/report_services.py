"""Section of the report: Services, kube-proxy's rules and load balancers, if the plan has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capacity.pages.page import Section
from capacity.pages.services_page import balancer_blocks, service_blocks
from capacity.services.mode_overview import question_of_plan, service_overview

if TYPE_CHECKING:
    from capacity.pages.report_blocks import Block
    from capacity.pages.report_material import Material


def services_section(material: Material) -> Section:
    """Services at the plan's peak; only the load balancers if the plan has no Services and says what they serve."""
    plan = material.result.plan
    blocks: list[Block] = []
    if plan.services:
        blocks += service_blocks(service_overview(question_of_plan(plan, peak=True)))
    elif any(tenant.balancing and tenant.balancing.workloads for tenant in plan.tenants):
        blocks += balancer_blocks(service_overview(question_of_plan(plan, peak=True)))
    return Section("services", "Services and load balancers", blocks)
