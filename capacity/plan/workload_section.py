"""The plan's workloads and daemonsets."""

from __future__ import annotations

from fractions import Fraction

from capacity.plan import keys
from capacity.plan.document import Section
from capacity.plan.fields import Field
from capacity.plan.growth import read_growth
from capacity.plan.model import DaemonSet, Requests, Workload
from capacity.plan.reading import Names, Values, read_keys, read_section


class WorkloadReader:
    """Reads the entries of ``workloads`` and ``daemonSets``, which refer to node groups."""

    def __init__(self, groups: Names) -> None:
        self._groups = groups
        self._profiles = frozenset(name for name, group in groups.found.items() if group.fargate)
        of_pods = {"requests": _requests, "nodeGroups": self._group_names}
        self._of_daemon_sets = of_pods
        self._of_workloads = of_pods | {
            "replicas": _replicas,
            "rollingUpdate": _rolling_update,
            "growth": read_growth,
        }

    def read(self, entry: Field) -> Workload:
        """One workload.

        Raises
        ------
        SpecError
            All that is wrong with it.
        """
        values = read_keys(entry, keys.WORKLOAD, self._of_workloads)
        with values.problems:
            self._check_fargate(values, entry)
        with values.problems:
            if values["hostNetwork"] and values["securityGroups"]:
                entry.child("securityGroups").fail("a pod on the host's network cannot have security groups of its own")
        values.problems.check()
        now, most = values["replicas"]
        surge, unavailable = values["rollingUpdate"] or _rolling_update(None)
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
        )

    def read_daemon_set(self, entry: Field) -> DaemonSet:
        """One daemonset.

        Raises
        ------
        SpecError
            All that is wrong with it.
        """
        values = read_section(entry, keys.DAEMON_SET, self._of_daemon_sets)
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
            entry.child("nodeGroups").fail(f"{profiles[0]!r} is a Fargate profile: its pods run nowhere else")
        if profiles and values["hostNetwork"]:
            entry.child("hostNetwork").fail(f"{profiles[0]!r} is a Fargate profile: it has no host network")
        if profiles and values["volumes"]:
            entry.child("volumes").fail(f"{profiles[0]!r} is a Fargate profile: EBS volumes cannot be attached there")
        known = self._groups
        if not groups and known.found and known.complete and len(self._profiles) == len(known.found):
            entry.fail("names no nodeGroups, and all groups are Fargate profiles, which must be named")


def _replicas(field: Field) -> tuple[int, int]:
    """Replicas now and at most."""
    if not isinstance(field.value, Section):
        count = field.integer()
        return count, count
    values = read_section(field, keys.REPLICAS)
    now, most = values["now"], values["max"]
    if most is not None and most < now:
        field.child("max").fail(f"{most} is less than now {now}")
    return now, now if most is None else most


def _rolling_update(section: Field | None) -> tuple[int | Fraction, int | Fraction]:
    """Pods on top, and pods that may be missing."""
    values = read_section(section, keys.ROLLING_UPDATE)
    both = values["maxSurge"], values["maxUnavailable"]
    if section is not None and not any(both):
        section.fail("maxSurge and maxUnavailable cannot both be 0")
    return both


def _requests(section: Field) -> Requests:
    values = read_section(section, keys.REQUESTS)
    return Requests(values["cpu"], values["memory"])
