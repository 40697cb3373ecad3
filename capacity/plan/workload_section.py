"""Reads the plan's workloads, with their growth, and DaemonSets."""

from __future__ import annotations

import re
from datetime import date
from fractions import Fraction
from functools import cache, partial

from capacity.errors import SpecError, did_you_mean
from capacity.plan import pod_keys
from capacity.plan.constants import MONTHS, PERIODS, WEEKDAYS
from capacity.plan.fields import Field
from capacity.plan.growth import Growth, GrowthStep
from capacity.plan.model import DaemonSet, Requests, Workload
from capacity.plan.reading import Names, Problems, Values, read_keys, read_section
from capacity.plan.sections import PlanSection
from capacity.units import parse_rate

_RATE = re.compile(r"^([+-]?[0-9]{1,6}(?:\.[0-9]{1,9})?) ?% ?/ ?([a-z]+)$")


class WorkloadReader:
    """Reads the entries of ``workloads`` and ``daemonSets``."""

    def __init__(self, groups: Names) -> None:
        self._groups = groups
        self._profiles = frozenset(name for name, group in groups.found.items() if group.fargate)
        of_pods = {"requests": _requests, "nodeGroups": self._group_names}
        self._of_daemon_sets = of_pods
        self._of_workloads = of_pods | {
            "replicas": _replicas,
            "rollingUpdate": _rolling_update,
            "growth": _growth,
            "topologySpread": _zone_skew,
            "churn": _churn,
        }

    def read(self, entry: Field) -> Workload:
        """Read one workload.

        Raises
        ------
        SpecError
            Every problem found.
        """
        values = read_keys(entry, pod_keys.WORKLOAD, self._of_workloads)
        if self._profiles:
            with values.problems:
                self._check_fargate(values, entry)
        if values.get("hostNetwork") and values.get("securityGroups"):
            with values.problems:
                entry.child("securityGroups").fail("a host-network pod cannot have its own security groups")
        values.check()
        now, most = values["replicas"]
        surge, unavailable = values["rollingUpdate"] or _default_update()
        return Workload(
            name=values["name"],
            replicas=now,
            max_replicas=most,
            requests=values["requests"] or Requests(),
            host_network=values["hostNetwork"],
            security_groups=values["securityGroups"],
            node_groups=values["nodeGroups"] or (),
            max_surge=surge,
            max_unavailable=unavailable,
            growth=values["growth"],
            volumes=values["volumes"],
            where=entry.where,
            zone_skew=values["topologySpread"],
            one_per_node=values["antiAffinity"] is not None,
            churn=values["churn"],
        )

    def read_daemon_set(self, entry: Field) -> DaemonSet:
        """Read one DaemonSet.

        Raises
        ------
        SpecError
            Every problem found.
        """
        values = read_section(entry, pod_keys.DAEMON_SET, self._of_daemon_sets)
        return DaemonSet(
            name=values["name"],
            requests=values["requests"] or Requests(),
            host_network=values["hostNetwork"],
            node_groups=values["nodeGroups"] or (),
            where=entry.where,
        )

    def _group_names(self, section: Field) -> tuple[str, ...]:
        return self._groups.listed(section, "is empty (leave the key out to allow every group)")

    def _check_fargate(self, values: Values, entry: Field) -> None:
        groups = values["nodeGroups"] or ()
        profiles = [name for name in groups if name in self._profiles]
        if profiles and len(groups) > 1:
            entry.child("nodeGroups").fail(
                f"{profiles[0]!r} is a Fargate profile: its pods cannot also run on other groups"
            )
        if profiles and values["hostNetwork"]:
            entry.child("hostNetwork").fail(f"{profiles[0]!r} is a Fargate profile: host-network pods cannot run there")
        if profiles and values["volumes"]:
            entry.child("volumes").fail(f"{profiles[0]!r} is a Fargate profile: EBS volumes cannot be attached there")
        known = self._groups
        if not groups and known.found and known.complete and len(self._profiles) == len(known.found):
            entry.fail("names no nodeGroups, but all groups are Fargate profiles, which must be named")


def _zone_skew(section: Field) -> int | None:
    """The smallest of the skews over zones."""
    skews = [read_section(entry, pod_keys.TOPOLOGY_SPREAD)["maxSkew"] for entry in section.items()]
    return min(skews, default=None)


def _churn(field: Field) -> float:
    """Pods that are replaced per minute."""
    try:
        return parse_rate(field.text())
    except SpecError as error:
        field.fail(str(error))


def _replicas(field: Field) -> tuple[int, int]:
    """Current and maximum replicas."""
    if not isinstance(field.value, PlanSection):
        count = field.integer()
        return count, count
    values = read_section(field, pod_keys.REPLICAS)
    now, most = values["now"], values["max"]
    if most is not None and most < now:
        field.child("max").fail(f"{most} is less than replicas.now {now}")
    return now, now if most is None else most


@cache
def _default_update() -> tuple[int | Fraction, int | Fraction]:
    return _rolling_update(None)


def _rolling_update(section: Field | None) -> tuple[int | Fraction, int | Fraction]:
    """Surge pods, and pods that can be unavailable."""
    values = read_section(section, pod_keys.ROLLING_UPDATE)
    both = values["maxSurge"], values["maxUnavailable"]
    if section is not None and not any(both):
        section.fail("maxSurge and maxUnavailable cannot both be 0")
    return both


def _requests(section: Field) -> Requests:
    values = read_section(section, pod_keys.REQUESTS)
    return Requests(values["cpu"], values["memory"], values["gpu"])


# --- growth -------------------------------------------------------------------------------------


def _growth(section: Field) -> Growth:
    """A workload's growth: a rate with its spread, dated steps and a season.

    Raises
    ------
    SpecError
        Every problem found.
    """
    values = read_keys(section, pod_keys.GROWTH, {"rate": _rate, "steps": _steps, "season": _season})
    if not section.value:
        section.fail("is empty (expected a rate such as 4%/month, steps, a season or from)")
    for key in ("stddev", "uncertainty"):
        with values.problems:
            if section.get(key) and values["rate"] is None:
                section.child(key).fail("requires a rate (use rate: 0%/month if nothing grows)")
    values.problems.check()
    rate, period = values["rate"] or (Fraction(0), "month")
    weekly, yearly = values["season"] or ((), ())
    return Growth(
        rate=rate,
        period=period,
        stddev=values["stddev"],
        uncertainty=values["uncertainty"],
        start=values["from"],
        steps=values["steps"] or (),
        weekly=weekly,
        yearly=yearly,
    )


def _steps(section: Field) -> tuple[GrowthStep, ...]:
    problems = Problems()
    steps: dict[date, GrowthStep] = {}
    for entry in problems.over(section.items()):
        with problems:
            step = _step(entry)
            if step.day in steps:
                entry.child("date").fail(f"duplicate step on {step.day}")
            steps[step.day] = step
    problems.check()
    return tuple(steps[day] for day in sorted(steps))


def _step(entry: Field) -> GrowthStep:
    values = read_keys(entry, pod_keys.STEP)
    with values.problems:
        if sum(values[key] is not None for key in ("replicas", "add", "factor")) != 1:
            entry.fail("expected exactly one of replicas, add and factor next to the date")
    values.problems.check()
    return GrowthStep(values["date"], values["replicas"], values["add"], values["factor"])


def _season(section: Field) -> tuple[tuple[Fraction, ...], tuple[Fraction, ...]]:
    """Factors of the weekdays and of the months; empty if not set."""
    of_weeks, of_years = partial(read_section, known=pod_keys.WEEKLY), partial(read_section, known=pod_keys.YEARLY)
    values = read_section(section, pod_keys.SEASON, {"weekly": of_weeks, "yearly": of_years})
    return _factors(values["weekly"], WEEKDAYS), _factors(values["yearly"], MONTHS)


def _factors(values: Values | None, names: tuple[str, ...]) -> tuple[Fraction, ...]:
    """One factor per name, 1 if not set."""
    if values is None:
        return ()
    return tuple(Fraction(1) if values[name] is None else values[name] for name in names)


def _rate(field: Field) -> tuple[Fraction, str]:
    match = _RATE.match(field.text(pod_keys.GROWTH["rate"].most))
    if not match:
        field.fail(f"{field.value!r} is not a rate (expected something like 4%/month)")
    number, period = match.groups()
    if period not in PERIODS:
        field.fail(f"{period!r} is not one of {', '.join(PERIODS)}{did_you_mean(period, PERIODS)}")
    rate = Fraction(number) / 100
    if rate <= -1:
        field.fail(f"{field.value!r} shrinks to nothing (expected more than -100%)")
    return rate, period
