"""An optimized plan as an answer: the JSON contract and the page."""

from __future__ import annotations

from typing import Any

from capacity.advice.nodes_to_buy import node_group_file
from capacity.cost.inputs import CostInputs
from capacity.optimize.choices import Choices
from capacity.optimize.optimized import Optimized
from capacity.optimize.rows import results_json
from capacity.pages.answer import Answer
from capacity.pages.optimize_blocks import sizing_blocks
from capacity.pages.page import Page

LANGUAGES = {"terraform": "hcl"}


def answer(
    found: Optimized, choices: Choices, inputs: CostInputs, *, effort: str, nodes: bool, form: str | None
) -> Answer:
    """Everything `optimize` says, in every format; ``form``: the node groups as a file instead of the page."""
    written = node_group_file(found, form) if form is not None and found.bought is not None else None
    results = results_json(found, nodes=nodes)
    if written is not None:
        results["written"] = {"form": form, "text": written}
    warnings = list(found.notes)
    if form is not None and written is None:
        warnings.append(f"--as {form}: there are no node groups to write")
    text = written
    return Answer(
        command="optimize",
        inputs=_inputs(found, choices, inputs, effort),
        results=results,
        page=Page(sizing_blocks(found)),
        rows=results["node_groups"],
        warnings=warnings,
        texts={} if text is None else {"table": lambda: text, "md": lambda: f"```{_language(form)}\n{text}```\n"},
    )


def _language(form: str | None) -> str:
    return LANGUAGES.get(form or "", "yaml")


def _inputs(found: Optimized, choices: Choices, inputs: CostInputs, effort: str) -> dict[str, Any]:
    draft = found.draft
    told = inputs.told()
    return {
        "plan": draft.file,
        "region": draft.plan.region,
        "workloads": [
            {
                "name": p.name,
                "replicas": p.now,
                "max_replicas": p.most,
                "cpu_millicores": p.pod.cpu,
                "memory_bytes": p.pod.memory,
                "gpus": p.pod.gpus,
            }
            for p in found.pods
        ],
        "types": list(choices.types),
        "types_compared": len(found.market.candidates),
        "arch": list(found.archs),
        "provisioner": draft.template.provisioner,
        "ami": draft.template.ami,
        "max_pods": draft.template.max_pods,
        "max_vcpus": choices.max_vcpus,
        "max_types": choices.max_types,
        "max_groups": choices.max_groups,
        "min_nodes": choices.min_nodes,
        "max_nodes": choices.max_nodes,
        "vcpu_quota": choices.vcpu_quota,
        "peak_hours_pct": float(100 * choices.peak_hours),
        "survive": choices.survive,
        "minimize": choices.minimize,
        "headroom_pct": float(100 * choices.headroom),
        "cni_modes": list(choices.modes),
        "zones": draft.zones,
        "scenarios": list(dict.fromkeys(s.name for s in found.bought.result.scenarios)) if found.bought else [],
        "effort": effort,
        **{key: told[key] for key in ("price_file", "price_factor", "savings_plan_pct", "per_node_cost")},
    }
