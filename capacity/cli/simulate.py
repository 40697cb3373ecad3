"""`capacity simulate`: the address pools over time."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from capacity.cli.chart_files import Charts
from capacity.cli.exit_codes import INTERRUPTED
from capacity.cli.node_options import Ami, Asked, Env, Provisioner, complete_types, environment, resolve
from capacity.cli.options import (
    Color,
    Explain,
    OutFile,
    Output,
    Plan,
    Quiet,
    Set,
    Wide,
    one_of,
    packed,
    sink,
    whole,
    words,
)
from capacity.cli.simulate_options import (
    BucketOption,
    Churn,
    Cron,
    Curve,
    Fail,
    For,
    Latency,
    LatencySpread,
    NodeEnd,
    NodeStart,
    NoThrottling,
    PodReady,
    PodStop,
    Ramp,
    Seed,
    Step,
    WorldOptions,
    cron_of,
    inputs_of,
    seeds_of,
)
from capacity.cli.tab_completion import complete_scenario
from capacity.errors import SpecError
from capacity.plan.constants import MODES

if TYPE_CHECKING:
    from capacity.sim.facade import Distribution

ScenarioName = Annotated[
    str,
    typer.Option(
        "--scenario",
        help="What happens: a scenario of check, such as rollout, upgrade, peak+rollout or zone-loss:zone=us-east-1a. "
        "steady: only --churn, --cron or --events.",
        metavar="NAME",
        autocompletion=complete_scenario,
    ),
]
Events = Annotated[
    Path | None,
    typer.Option(
        "--events",
        help="Recorded pod events to play: CSV with time, event, workload and optionally pods.",
        metavar="FILE",
    ),
]
InstanceType = Annotated[
    str | None,
    typer.Option(
        "--type",
        help="Simulate one node of this instance type instead of a plan.",
        metavar="TYPE",
        autocompletion=complete_types,
        show_default=False,
    ),
]
Pods = Annotated[
    int | None, typer.Option("--pods", help="With --type: pods on VPC addresses.", metavar="N", show_default=False)
]
Mode = Annotated[
    str | None,
    typer.Option(
        "--mode",
        help="With --type: secondary (default) or prefix.",
        metavar="MODE",
        show_default=False,
        autocompletion=words(*MODES[:2]),
    ),
]
MaxPods = Annotated[
    int | None, typer.Option("--max-pods", help="With --type: fixed max pods.", metavar="N", show_default=False)
]
Subnet = Annotated[
    str | None,
    typer.Option(
        "--subnet", help="With --type: size of the subnet (/16 to /28). Default: /16.", metavar="/N", show_default=False
    ),
]
Others = Annotated[
    int | None,
    typer.Option(
        "--others", help="With --type: addresses of the subnet that others use.", metavar="N", show_default=False
    ),
]
Seeds = Annotated[
    int,
    typer.Option(
        "--seeds",
        help="Number of simulations, with consecutive seeds from --seed: adds confidence intervals.",
        metavar="N",
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs", help="Processes for --seeds. Default: all cores. The answer does not depend on it.", metavar="N"
    ),
]


def register(app: typer.Typer) -> None:
    app.command("simulate")(simulate)


def simulate(
    plan: Plan = None,
    scenario: ScenarioName = "steady",
    settings: Set = None,
    length: For = "30m",
    step: Step = None,
    churn: Churn = None,
    curve: Curve = None,
    cron: Cron = None,
    events: Events = None,
    instance_type: InstanceType = None,
    pods: Pods = None,
    mode: Mode = None,
    env: Env = None,
    max_pods: MaxPods = None,
    ami: Ami = None,
    provisioner: Provisioner = None,
    subnet: Subnet = None,
    others: Others = None,
    latency: Latency = None,
    latency_spread: LatencySpread = None,
    fail: Fail = None,
    bucket: BucketOption = None,
    no_throttling: NoThrottling = False,
    node_start: NodeStart = "45s",
    node_end: NodeEnd = "30s",
    pod_stop: PodStop = "5s",
    pod_ready: PodReady = "5s",
    ramp: Ramp = "10m",
    seed: Seed = 1,
    seeds: Seeds = 1,
    jobs: Jobs = None,
    charts: Charts = None,
    explain: Explain = False,
    output: Output = "table",
    out_file: OutFile = None,
    color: Color = "auto",
    quiet: Quiet = False,
    wide: Wide = False,
) -> None:
    """Simulate the address pools over time: how long pods wait, EC2 calls, and when subnets run out.

    Runs the steps of the VPC CNI on every node of a plan during a scenario of check, with subnets and an EC2 API that
    all nodes share; or on one node of a type. The pools are settled at the start. Ctrl-C prints the results so far.

    Examples: capacity simulate examples/shop-prod.yaml --scenario rollout ·
    capacity simulate examples/shop-prod.yaml --scenario peak --for 1h --seeds 20 ·
    capacity simulate --type m5.large --pods 20 --churn 2/min --env WARM_IP_TARGET=2 --for 6h
    """
    given = packed(SimulateOptions, locals())
    world = packed(WorldOptions, locals())
    to = sink(output, out_file, color, quiet=quiet, wide=wide)
    from capacity.cli.output import emit
    from capacity.pages.answer import with_charts
    from capacity.pages.simulate_page import answer

    found, asked = _simulated(given, world)
    answered = answer(found, {**asked, **_inputs(given, world)}, explain=explain)
    if charts is not None:
        from capacity.cli.chart_files import relative_to, write_charts

        write_charts(answered.page, charts)
        answered = with_charts(answered, relative_to(out_file, charts))
    emit(answered, to)
    if not all(result.complete for result in found.results) or len(found.results) < seeds:
        raise typer.Exit(INTERRUPTED)


@dataclass(frozen=True)
class SimulateOptions:
    """The options of `capacity simulate` as given, named as its parameters are."""

    plan: Path | None
    scenario: str
    settings: list[str] | None
    curve: str | None
    cron: list[str] | None
    events: Path | None
    instance_type: str | None
    pods: int | None
    mode: str | None
    env: list[str] | None
    max_pods: int | None
    ami: str | None
    provisioner: str | None
    subnet: str | None
    others: int | None
    seed: int
    seeds: int
    jobs: int | None
    quiet: bool


def _inputs(given: SimulateOptions, world: WorldOptions) -> dict[str, Any]:
    """The world and the seeds, as JSON's ``inputs`` have them; the number of processes changes nothing."""
    inputs = asdict(inputs_of(world))
    pace = {f"{name}_s": value / 1000 for name, value in inputs.pop("pace").items()}
    buckets = {kind: list(bucket) for kind, bucket in inputs.pop("buckets").items()}
    return {**inputs, **pace, "buckets": buckets, "seed": given.seed, "simulations": given.seeds}


def _simulated(given: SimulateOptions, world: WorldOptions) -> tuple[Distribution, dict[str, Any]]:
    """The simulations for the given options, and the inputs to show."""
    import os

    from capacity.cli.progress import progress
    from capacity.sim.facade import distribution, over_seeds

    seeds = seeds_of(given.seed, given.seeds)
    whole("--jobs", given.jobs, 1)
    play, asked = _of_type(given, world) if given.instance_type is not None else _of_plan(given, world)
    with progress("simulate", quiet=given.quiet) as told:
        if given.seeds == 1:
            return distribution([play(given.seed, progress=told)]), asked
        return over_seeds(play, seeds, given.jobs or os.cpu_count() or 1, told), asked


def _of_plan(given: SimulateOptions, world: WorldOptions) -> tuple[Any, dict[str, Any]]:
    from capacity.plan.parse import find_plan, read_patched
    from capacity.plan.patch import parse_settings
    from capacity.plan.scenarios import scenario_option
    from capacity.sim.facade import check_simulated, read_events
    from capacity.sim.facade import simulate as simulated

    for option, value in (
        ("--pods", given.pods), ("--mode", given.mode), ("--env", given.env), ("--max-pods", given.max_pods),
        ("--ami", given.ami), ("--provisioner", given.provisioner), ("--subnet", given.subnet),
        ("--others", given.others),
    ):  # fmt: skip
        if value is not None:
            raise SpecError(f"{option} needs --type (a plan has this setting; --set changes it)")
    inputs, cron = inputs_of(world), cron_of(given.cron)
    patch = parse_settings(given.settings or [])
    read = read_patched(given.plan or find_plan(), patch)
    check_simulated(read.cni.settings, read.cni.env)
    spec = scenario_option(given.scenario, read)
    names = [w.name for w in read.workloads]
    recorded = None if given.events is None else read_events(given.events, names)
    asked: dict[str, Any] = {"plan": read.file, "scenario": given.scenario}
    asked |= {"set": patch} if patch else {}
    asked |= {"curve": one_of("--curve", given.curve, ("day", "week"))} if given.curve is not None else {}
    asked |= {"cron": given.cron} if given.cron else {}
    asked |= {"events": str(given.events)} if given.events else {}
    play = partial(simulated, read, spec, inputs, cron=cron, recorded=recorded, curve=given.curve)
    return partial(_seeded, play), asked


def _seeded(play: Any, seed: int, **more: Any) -> Any:
    """Play with a seed; processes take the function by its name, so it is one of this module."""
    return play(seed=seed, **more)


def _of_type(given: SimulateOptions, world: WorldOptions) -> tuple[Any, dict[str, Any]]:
    from capacity.catalog.table import load_catalog
    from capacity.cni.facade import effective, node_limits
    from capacity.node.maxpods import max_pods
    from capacity.plan.cni_env import subnet_discovery_switch
    from capacity.sim.facade import check_simulated, setup_of, simulate_node
    from capacity.sim.node_setup import cooldown_seconds
    from capacity.sim.plan_cluster import notes_on

    if (
        given.plan is not None
        or given.settings
        or given.cron
        or given.curve
        or given.events
        or given.scenario != "steady"
    ):
        raise SpecError("simulate: give a plan (with --scenario, --set, --curve, --cron, --events) or --type, not both")
    if given.pods is None:
        raise SpecError("--type needs --pods, such as --pods 20")
    mode = one_of("--mode", given.mode, MODES[:2]) if given.mode is not None else None
    asked = Asked(mode=mode, ami=given.ami, provisioner=given.provisioner, env=given.env or ())
    whole("--pods", given.pods)
    whole("--max-pods", given.max_pods, 1)
    whole("--others", given.others)
    platform, settings, _ = resolve(asked)
    env = environment(asked)
    check_simulated(settings, env)
    if platform.ami == "windows":
        raise SpecError("simulate: the VPC resource controller serves Windows nodes: only the VPC CNI is simulated")
    kind = load_catalog().get(str(given.instance_type), where="--type")
    settings = effective(settings, kind)
    most = given.max_pods or max_pods(kind, platform).max_pods
    assert most is not None, "node_limits refuses types without ENI figures"
    setup = setup_of(
        node_limits(kind, settings),
        settings,
        most,
        discovery=subnet_discovery_switch(env)[0],
        cooldown_s=cooldown_seconds(env),
    )
    if given.pods > most:
        raise SpecError(f"--pods: {given.pods} is more than max pods of {kind.name}, {most}")
    addresses, others = _subnet(given.subnet), given.others or 0
    if others > addresses - 6:
        raise SpecError(f"--others: {others} leaves no address of a subnet of {addresses}")
    inputs: dict[str, Any] = {"type": kind.name, "pods": given.pods, "env": env, "max_pods": most}
    inputs |= {"subnet_addresses": addresses, "others": others}
    play = partial(
        simulate_node,
        setup,
        given.pods,
        inputs_of(world),
        subnet_addresses=addresses,
        others=others,
        notes=notes_on(settings, env),
    )
    return partial(_seeded, play), inputs


def _subnet(text: str | None) -> int:
    if text is None:
        return 1 << 16
    bits = text.strip().removeprefix("/")
    if not bits.isascii() or not bits.isdigit() or not 16 <= int(bits) <= 28:
        raise SpecError(f"--subnet: {text!r} is not the size of a subnet (expected /16 to /28)")
    return 1 << (32 - int(bits))
