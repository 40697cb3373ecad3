"""Options of `capacity optimize` alone: the pods, the allowed types, the limits, and the form of the answer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from capacity.cli.options import words
from capacity.optimize.choices import EFFORT_NAMES, SURVIVALS, TO_MINIMIZE
from capacity.plan.constants import ARCHS, GROUP_FORMS, MODES


def type_globs(text: str | None) -> tuple[str, ...]:
    """Names and globs of ``--types``, which has commas between them."""
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def _count(option: str, text: str) -> Any:
    return typer.Option(option, help=text, metavar="N", show_default=False)


PlanFile = Annotated[
    Path | None,
    typer.Argument(
        help="Plan file (- for stdin); vpc and nodeGroups are optional. Default: capacity.yaml, or --pod.",
        metavar="[PLAN]",
    ),
]
Pod = Annotated[
    list[str] | None,
    typer.Option(
        "--pod",
        help="Pods instead of a plan: web=250m,512Mi,300, with more rules after a comma: gpu=1, volumes=1, "
        "spread=1 (maxSkew over the zones), antiAffinity=hostname. Repeatable.",
        metavar="NAME=CPU,MEMORY,REPLICAS[,…]",
    ),
]
Zones = Annotated[int | None, _count("--zones", "Zones, 1 to 6, of a plan without subnets (default 3).")]
Region = Annotated[
    str | None,
    typer.Option(
        "--region",
        help="With --pod: the Region of the prices (default us-east-1).",
        metavar="REGION",
        show_default=False,
    ),
]
Mode = Annotated[
    str | None,
    typer.Option(
        "--mode",
        help="With --pod: secondary (default), prefix or ipv6.",
        metavar="MODE",
        show_default=False,
        autocompletion=words(*MODES),
    ),
]
Types = Annotated[
    str | None,
    typer.Option(
        "--types",
        help="Allowed instance types, names and globs with commas: 'm6i.*,c6i.*'. Default: all Nitro types "
        "except burstable, metal, HPC and GPU types. Metal types only if a glob names metal.",
        metavar="GLOB[,GLOB...]",
        show_default=False,
    ),
]
Arch = Annotated[
    str | None,
    typer.Option(
        "--arch",
        help="x86_64 or arm64. Default: as the plan's node groups, or x86_64; both with --types.",
        metavar="ARCH",
        show_default=False,
        autocompletion=words(*ARCHS),
    ),
]
MaxVcpus = Annotated[int | None, _count("--max-vcpus", "Maximum vCPUs of a node.")]
MaxTypes = Annotated[int | None, _count("--max-types", "Maximum number of different instance types.")]
MaxGroups = Annotated[int, typer.Option("--max-groups", help="Maximum number of node groups.", metavar="N")]
MaxPods = Annotated[int | None, _count("--max-pods", "Max pods of each node, set by hand.")]
MinNodes = Annotated[int, typer.Option("--min-nodes", help="Minimum nodes of each group.", metavar="N")]
MaxNodes = Annotated[int | None, _count("--max-nodes", "Maximum nodes of each group.")]
VcpuQuota = Annotated[
    int | None, _count("--vcpu-quota", "Maximum vCPUs of all nodes at the peak: the account's EC2 quota.")
]
PeakHours = Annotated[
    str,
    typer.Option("--peak-hours", help="Share of the hours at replicas.max.", metavar="PERCENT"),
]
Survive = Annotated[
    str | None,
    typer.Option(
        "--survive",
        help="zone: the pods of a lost zone fit on the existing nodes of the other zones.",
        metavar="WHAT",
        show_default=False,
        autocompletion=words(*SURVIVALS),
    ),
]
Minimize = Annotated[
    str,
    typer.Option(
        "--minimize",
        help="cost, or addresses or nodes at the peak and then cost.",
        metavar="WHAT",
        autocompletion=words(*TO_MINIMIZE),
    ),
]
Headroom = Annotated[
    str,
    typer.Option(
        "--headroom",
        help="Room for this share of additional pods of every workload; all figures include them.",
        metavar="PERCENT",
    ),
]
CniModes = Annotated[
    str | None,
    typer.Option(
        "--cni-modes",
        help="Allowed CNI modes, of which the cheaper is used: secondary,prefix. Default: the plan's mode.",
        metavar="MODE[,MODE]",
        show_default=False,
    ),
]
Current = Annotated[
    bool,
    typer.Option("--current", help="Compare with the plan's current node groups; an error if it has none."),
]
Scenario = Annotated[
    list[str] | None,
    typer.Option(
        "--scenario",
        help="Scenario of check that must be ok. Default: the plan's, or all. Repeatable.",
        metavar="NAME",
    ),
]
Effort = Annotated[
    str,
    typer.Option(
        "--effort",
        help="Amount of work: quick, normal or thorough. The same input gives the same answer.",
        metavar="HOW",
        autocompletion=words(*EFFORT_NAMES),
    ),
]
TimeLimit = Annotated[
    float | None,
    typer.Option(
        "--time-limit",
        help="Stop after about this many seconds with the best result so far and its gap.",
        metavar="S",
        show_default=False,
    ),
]
Alternatives = Annotated[
    bool,
    typer.Option(
        "--alternatives/--no-alternatives",
        help="Show the cost of other choices, of fewer addresses and of fewer nodes.",
    ),
]
Nodes = Annotated[bool, typer.Option("--nodes", help="List every node of the packing (JSON and YAML).")]
WrittenAs = Annotated[
    str | None,
    typer.Option(
        "--as",
        help="Write the node groups: plan, eksctl, terraform, karpenter or cloudformation.",
        metavar="FORM",
        show_default=False,
        autocompletion=words(*GROUP_FORMS),
    ),
]
