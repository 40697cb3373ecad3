"""`capacity warm`: recommended WARM_* and MINIMUM_* settings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capacity.cli.node_options import Ami, Asked, Env, Provisioner, complete_types, environment, resolve
from capacity.cli.options import Color, Explain, OutFile, Output, Quiet, Set, Wide, one_of, packed, sink, whole
from capacity.errors import SpecError
from capacity.plan.constants import MODES

if TYPE_CHECKING:
    from fractions import Fraction

    from capacity.advice.warm import WarmAnswer
    from capacity.advice.warm_churn import ChurnAsked
    from capacity.pages.answer import Answer

_RANGE = re.compile(r"^([0-9]{1,5})(?:(?:\.\.|-)([0-9]{1,5}))?$")

PlanOption = Annotated[
    Path | None,
    typer.Argument(
        help="Plan file. Default, without --type: capacity.yaml in this folder or a parent.",
        metavar="[PLAN]",
        show_default=False,
    ),
]
InstanceType = Annotated[
    str | None,
    typer.Option(
        "--type",
        help="Use one node of this instance type instead of a plan.",
        metavar="TYPE",
        autocompletion=complete_types,
        show_default=False,
    ),
]
PodsPerNode = Annotated[
    str | None,
    typer.Option(
        "--pods-per-node",
        help="With --type: pods on VPC addresses, N or FROM..TO. All counts have the same weight.",
        metavar="RANGE",
        show_default=False,
    ),
]
Swing = Annotated[
    str,
    typer.Option(
        "--swing",
        help="How much the pod count of a node varies. 25% is the surge of a Deployment.",
        metavar="SHARE",
    ),
]
Mode = Annotated[
    str | None,
    typer.Option(
        "--mode",
        help="With --type: recommend for secondary (default) or prefix.",
        metavar="MODE",
        show_default=False,
    ),
]
MaxPods = Annotated[
    int | None,
    typer.Option("--max-pods", help="With --type: fixed max pods.", metavar="N", show_default=False),
]
Churn = Annotated[
    str | None,
    typer.Option(
        "--churn",
        help="Also simulate every setting while pods are replaced at this rate per node, such as 2/min or 30/h: how "
        "long pods wait, and EC2 calls per hour. Default: what the plan's workloads state (churn).",
        metavar="RATE",
        show_default=False,
    ),
]
Budget = Annotated[
    str,
    typer.Option(
        "--budget",
        help="With a churn: CPU time of all simulations on a typical machine. A larger budget simulates a longer time.",
        metavar="TIME",
    ),
]
Everything = Annotated[bool, typer.Option("--all", help="Show all settings, not only the efficient ones.")]


def register(app: typer.Typer) -> None:
    app.command("warm")(warm)


def warm(
    plan: PlanOption = None,
    settings: Set = None,
    instance_type: InstanceType = None,
    pods_per_node: PodsPerNode = None,
    swing: Swing = "25%",
    mode: Mode = None,
    env: Env = None,
    max_pods: MaxPods = None,
    ami: Ami = None,
    provisioner: Provisioner = None,
    churn: Churn = None,
    budget: Budget = "10s",
    everything: Everything = False,
    explain: Explain = False,
    output: Output = "table",
    out_file: OutFile = None,
    color: Color = "auto",
    quiet: Quiet = False,
    wide: Wide = False,
) -> None:
    """Recommend WARM_* and MINIMUM_* settings: addresses held, immediate pod starts, EC2 calls.

    Compares all useful combinations on the nodes of a plan, or on one node of a type, and recommends one:
    its settings, the addresses it frees per subnet, and the command to apply it.

    Examples: capacity warm examples/shop-prod.yaml · capacity warm --type m5.large --pods-per-node 8..30 ·
    capacity warm --type m5.4xlarge --pods-per-node 40 --mode prefix --all ·
    capacity warm --type m5.large --pods-per-node 20 --churn 2/min
    """
    given = packed(WarmOptions, locals())
    to = sink(output, out_file, color, quiet=quiet, wide=wide)
    from capacity.cli.output import emit

    emit(_answered(given), to)


@dataclass(frozen=True)
class WarmOptions:
    """The options of `capacity warm` as given, named as its parameters are."""

    plan: Path | None
    settings: list[str] | None
    instance_type: str | None
    pods_per_node: str | None
    swing: str
    mode: str | None
    env: list[str] | None
    max_pods: int | None
    ami: str | None
    provisioner: str | None
    churn: str | None
    budget: str
    everything: bool
    explain: bool


def _answered(given: WarmOptions) -> Answer:
    """The settings for the given options."""
    from capacity.pages.warm_page import answer

    share, churn = _share(given.swing), _churn(given.churn, given.budget)
    if given.instance_type is not None:
        if given.plan is not None or given.settings:
            raise SpecError("warm: give a plan (with --set) or --type, not both")
        asked = Asked(
            mode=one_of("--mode", given.mode, MODES[:2]) if given.mode is not None else None,
            ami=given.ami,
            provisioner=given.provisioner,
            env=given.env or (),
        )
        stated = churn if churn.per_minute else None
        found, inputs = _for_type(given.instance_type, given.pods_per_node, asked, given.max_pods, share, stated)
        inputs["swing"] = given.swing
    else:
        for option, value in (
            ("--pods-per-node", given.pods_per_node), ("--mode", given.mode), ("--env", given.env),
            ("--max-pods", given.max_pods), ("--ami", given.ami), ("--provisioner", given.provisioner),
        ):  # fmt: skip
            if value:
                raise SpecError(f"{option} needs --type (a plan has this setting; --set changes it)")
        found, inputs = _for_plan(given.plan, given.settings or [], given.swing, churn)
    if found.churn:
        inputs = {**inputs, "churn": given.churn or found.churn.source, "budget": given.budget}
    return answer(found, inputs, everything=given.everything, explain=given.explain)


def _churn(text: str | None, budget: str) -> ChurnAsked:
    """The churn asked for; 0 pods per minute: what the plan states."""
    from capacity.advice.warm_churn import ChurnAsked
    from capacity.cli.simulate_options import rate
    from capacity.units import parse_duration

    per_minute, seconds = 0.0 if text is None else rate(text, "--churn"), parse_duration(budget, "--budget")
    if text is not None and not per_minute:
        raise SpecError(f"--churn: {text!r} is no churn (expected something like 2/min)")
    if not 1 <= seconds <= 3600:
        raise SpecError(f"--budget: {budget!r} is out of range (expected 1s to 1h)")
    return ChurnAsked(per_minute, seconds)


def _for_plan(
    plan: Path | None, settings: list[str], swing: str, churn: ChurnAsked
) -> tuple[WarmAnswer, dict[str, object]]:
    from capacity.advice.warm import warm_for_plan
    from capacity.pages.warm_page import plan_inputs
    from capacity.plan.parse import find_plan, read_patched
    from capacity.plan.patch import parse_settings

    patch = parse_settings(settings)
    read = read_patched(plan or find_plan(), patch)
    return warm_for_plan(read, _share(swing), churn), plan_inputs(read, patch, swing)


def _for_type(
    name: str, pods: str | None, asked: Asked, max_pods: int | None, swing: Fraction, churn: ChurnAsked | None
) -> tuple[WarmAnswer, dict[str, object]]:
    from capacity.advice.warm import warm_for_type
    from capacity.catalog.table import load_catalog

    whole("--max-pods", max_pods, 1)
    platform, _, _ = resolve(asked)
    counts = _range(pods)
    env = environment(asked)
    found = warm_for_type(load_catalog().get(name, where="--type"), counts, env, platform, max_pods, swing, churn)
    inputs: dict[str, object] = {
        "type": name,
        "pods_per_node": [counts[0], counts[-1]],
        "env": env,
        "ami": platform.ami,
        "provisioner": platform.provisioner,
        "max_pods": max_pods,
    }
    return found, inputs


def _range(text: str | None) -> range:
    if text is None:
        raise SpecError("--type needs --pods-per-node, such as 12 or 8..30")
    match = _RANGE.match(text.strip())
    if not match:
        raise SpecError(f"--pods-per-node: {text!r} is not a range (expected something like 12 or 8..30)")
    low = int(match.group(1))
    high = int(match.group(2) or low)
    if high < low or high > 2000:
        raise SpecError(f"--pods-per-node: {text!r} is out of range (expected FROM..TO, at most 2000)")
    return range(low, high + 1)


def _share(text: str) -> Fraction:
    from capacity.units import parse_percent

    share = parse_percent(text, "--swing")
    if not 0 <= share <= 1:
        raise SpecError(f"--swing: {text!r} is out of range (expected 0% to 100%)")
    return share
