"""The rule sets of all Services on one node: one of each mode, for one IP family or both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from capacity.errors import check_each, check_kind, check_word
from capacity.plan.service import PROXY_MODES, SERVICE_FAMILIES, KubeProxy, Service, ServiceShape
from capacity.services.iptables import IptablesTally, iptables_base, iptables_service
from capacity.services.ipvs import IPVS_SETS, IpvsRules, IpvsTally, ipvs_rules, ipvs_service
from capacity.services.nftables import NftablesTally, nftables_base, nftables_service
from capacity.services.traffic import summed

Shapes = Sequence[tuple[ServiceShape, int]]


@dataclass(frozen=True, slots=True)
class RuleSets:
    """What kube-proxy builds on one node in each mode.

    Attributes
    ----------
    families : int
        IP families that are added up: 1, or 2 for dual stack.
    ipvs_rules : IpvsRules
        The iptables rules of IPVS mode.
    """

    iptables: IptablesTally
    nftables: NftablesTally
    ipvs: IpvsTally
    ipvs_rules: IpvsRules
    families: int = 1

    def figures(self, mode: str) -> dict[str, object]:
        """``rules``, ``chains``, ``elements``, ``virtual_servers`` and ``real_servers`` of one mode, as JSON."""
        return {"iptables": self._iptables, "nftables": self._nftables, "ipvs": self._ipvs}[mode]()

    def rules(self, mode: str) -> int:
        """All rules of a mode on the node. [rules]"""
        if mode == "iptables":
            return self.iptables.rules
        return self.nftables.rules if mode == "nftables" else self.ipvs_rules.nat + self.ipvs_rules.filter

    def _iptables(self) -> dict[str, object]:
        tally = self.iptables
        return {
            "rules": {"nat": tally.nat_rules, "filter": tally.filter_rules, "total": tally.rules},
            "chains": {"nat": tally.nat_chains, "filter": tally.filter_chains, "total": tally.chains},
            "elements": None,
            "virtual_servers": None,
            "real_servers": None,
        }

    def _nftables(self) -> dict[str, object]:
        tally = self.nftables
        elements = ("named", "anonymous", "affinity_sets", "sets", "maps")
        return {
            "rules": {"total": tally.rules},
            "chains": {"total": tally.chains, "hooked": tally.hooked},
            "elements": {name: getattr(tally, name) for name in elements},
            "virtual_servers": None,
            "real_servers": None,
        }

    def _ipvs(self) -> dict[str, object]:
        tally, rules = self.ipvs, self.ipvs_rules
        return {
            "rules": {
                "nat": rules.nat,
                "filter": rules.filter,
                "total": rules.nat + rules.filter,
                "services_chain": rules.services_chain,
                "node_port_chain": rules.node_port_chain,
            },
            "chains": {"total": rules.chains},
            "elements": {
                "virtual_servers": tally.virtual_servers,
                "real_servers": tally.real_servers,
                "addresses": tally.bound_addresses,
                "entries": tally.entries,
                "sets": IPVS_SETS * self.families,
                "ipset": tally.ipset,
            },
            "virtual_servers": tally.virtual_servers,
            "real_servers": tally.real_servers,
        }


def shapes_of(services: Iterable[Service]) -> Shapes:
    """The different shapes of some Services, with how many Services have each.

    >>> shapes_of([Service("a", ServiceShape(endpoints=2), count=3), Service("b", ServiceShape(endpoints=2))])[0][1]
    4
    """
    counted: Counter[ServiceShape] = Counter()
    for service in services:
        counted[service.shape] += service.count
    return tuple(counted.items())


def rule_sets(shapes: Shapes, proxy: KubeProxy, *, family: str = "ipv4", base: bool = True) -> RuleSets:
    """The rule sets of Services on one node.

    Parameters
    ----------
    shapes : sequence of (ServiceShape, int)
    proxy : KubeProxy
        Its ``ipv6`` is set by ``family``.
    family : {'ipv4', 'ipv6', 'dual'}
        With ``dual`` kube-proxy builds both: every Service is in both, and each has its own base.
    base : bool
        Whether kube-proxy's own rules are included. IPVS mode has only those.

    Examples
    --------
    >>> sets = rule_sets([(ServiceShape(endpoints=2), 5000)], KubeProxy())
    >>> sets.iptables.rules, sets.nftables.rules, sets.ipvs.virtual_servers, sets.ipvs.real_servers
    (40009, 30023, 5000, 10000)
    """
    check_each("shapes", shapes, tuple, "pairs of a ServiceShape and a number of Services")
    check_kind("proxy", proxy, KubeProxy, "a KubeProxy")
    check_word("family", family, SERVICE_FAMILIES)
    check_kind("base", base, bool, "True or False")
    if family == "dual":
        return _both(rule_sets(shapes, proxy, base=base), rule_sets(shapes, proxy, family="ipv6", base=base))
    proxy = replace(proxy, ipv6=family == "ipv6")
    iptables = [(iptables_service(shape, proxy), count) for shape, count in shapes]
    nftables = [(nftables_service(shape, proxy), count) for shape, count in shapes]
    if base:
        iptables.append((iptables_base(proxy), 1))
        nftables.append((nftables_base(proxy), 1))
    ipvs = summed(((ipvs_service(shape, proxy), count) for shape, count in shapes), IpvsTally())
    return RuleSets(summed(iptables, IptablesTally()), summed(nftables, NftablesTally()), ipvs, ipvs_rules(ipvs))


def _both(four: RuleSets, six: RuleSets) -> RuleSets:
    """The sum of the rule sets of two IP families."""
    return RuleSets(
        summed([(four.iptables, 1), (six.iptables, 1)], IptablesTally()),
        summed([(four.nftables, 1), (six.nftables, 1)], NftablesTally()),
        summed([(four.ipvs, 1), (six.ipvs, 1)], IpvsTally()),
        summed([(four.ipvs_rules, 1), (six.ipvs_rules, 1)], IpvsRules(0, 0, 0, 0, 0)),
        families=2,
    )


def node_rules(mode: str, services: Iterable[Service], proxy: KubeProxy | None = None, family: str = "ipv4") -> int:
    """All rules of one mode on one node, kube-proxy's own included. [rules]

    >>> node_rules("iptables", [Service("web", ServiceShape(endpoints=2), count=5000)])
    40009
    """
    assert mode in PROXY_MODES, mode
    return rule_sets(shapes_of(services), proxy or KubeProxy(), family=family).rules(mode)
