"""Laws of kube-proxy's rule counts: they add up over Services, and dual stack doubles what doubles."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from capacity.plan.service import PROTOCOLS, KubeProxy, ServiceShape
from capacity.services.iptables import iptables_base
from capacity.services.nftables import nftables_base
from capacity.services.rule_sets import RuleSets, rule_sets
from capacity.services.sync import NO_SERVICE, iptables_partial_sync, nftables_operations


@st.composite
def shapes(draw: st.DrawFn) -> ServiceShape:
    endpoints = draw(st.integers(0, 30))
    small = st.integers(0, 3)
    return ServiceShape(
        ports=draw(st.integers(1, 3)),
        endpoints=endpoints,
        local=draw(st.integers(0, endpoints)),
        external_ips=draw(small),
        lb_ips=draw(small),
        node_port=draw(st.booleans()),
        source_ranges=draw(small),
        node_in_range=draw(st.booleans()),
        external_local=draw(st.booleans()),
        internal_local=draw(st.booleans()),
        affinity=draw(st.booleans()),
        health_check=draw(st.booleans()),
        protocol=draw(st.sampled_from(PROTOCOLS)),
        proxied=draw(st.sampled_from([True, True, True, False])),
    )


proxies = st.builds(
    KubeProxy,
    pod_range=st.booleans(),
    localhost_node_ports=st.booleans(),
    nfacct=st.booleans(),
    conntrack_liberal=st.booleans(),
    node_port_ips=st.none() | st.integers(1, 4),
    closing_rule=st.booleans(),
    node_ips=st.integers(0, 3),
)
Mix = list[tuple[ServiceShape, int]]
mixes = st.lists(st.tuples(shapes(), st.integers(1, 40)), max_size=6)


def parts(sets: RuleSets) -> tuple[tuple[int, ...], ...]:
    return (tuple(sets.iptables), tuple(sets.nftables), tuple(sets.ipvs))


def added(*some: Iterable[tuple[int, ...]]) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(map(sum, zip(*tallies, strict=True))) for tallies in zip(*some, strict=True))


@given(mixes, mixes, proxies)
def test_counts_add_up_over_services(a: Mix, b: Mix, proxy: KubeProxy) -> None:
    together = rule_sets([*a, *b], proxy, base=False)
    assert parts(together) == added(parts(rule_sets(a, proxy, base=False)), parts(rule_sets(b, proxy, base=False)))


@given(mixes, proxies)
def test_base_is_added_once(mix: Mix, proxy: KubeProxy) -> None:
    whole, own = rule_sets(mix, proxy), rule_sets(mix, proxy, base=False)
    assert whole.iptables.rules - own.iptables.rules == iptables_base(proxy).rules
    assert whole.nftables.rules - own.nftables.rules == nftables_base(proxy).rules


@given(mixes, proxies)
def test_dual_stack_is_both_families(mix: Mix, proxy: KubeProxy) -> None:
    """Chains, elements and servers double; iptables has a rule less for IPv6 where localhost node ports count."""
    four, six, dual = (rule_sets(mix, proxy, family=family) for family in ("ipv4", "ipv6", "dual"))
    assert parts(dual) == added(parts(four), parts(six))
    assert tuple(dual.nftables) == tuple(2 * n for n in four.nftables)
    assert tuple(dual.ipvs) == tuple(2 * n for n in four.ipvs)
    assert dual.iptables.chains == 2 * four.iptables.chains
    counted = sum(
        shape.ports * count
        for shape, count in mix
        if shape.proxied and shape.node_port and shape.endpoints and proxy.localhost_node_ports and proxy.nfacct
    )
    assert dual.iptables.nat_rules == 2 * four.iptables.nat_rules - counted
    assert dual.iptables.filter_rules == 2 * four.iptables.filter_rules - proxy.localhost_node_ports


@given(shapes(), proxies)
def test_one_more_endpoint_never_makes_fewer_rules(shape: ServiceShape, proxy: KubeProxy) -> None:
    if not shape.endpoints:  # a reject rule for each address goes away
        return
    more = shape._replace(endpoints=shape.endpoints + 1)
    before, after = (rule_sets([(s, 1)], proxy) for s in (shape, more))
    assert after.iptables.rules >= before.iptables.rules
    assert after.nftables.rules >= before.nftables.rules
    assert after.ipvs.real_servers >= before.ipvs.real_servers


@given(mixes, shapes(), proxies)
def test_a_partial_sync_sends_at_most_everything(mix: Mix, changed: ServiceShape, proxy: KubeProxy) -> None:
    everything = rule_sets([*mix, (changed, 1)], proxy)
    nothing = iptables_partial_sync([*mix, (changed, 1)], [], proxy)
    sent = iptables_partial_sync([*mix, (changed, 1)], [changed], proxy)
    assert nothing <= sent <= everything.iptables.nat_rules
    all_changed = [shape for shape, count in mix for _ in range(count)] + [changed]
    assert iptables_partial_sync([*mix, (changed, 1)], all_changed, proxy) == everything.iptables.nat_rules


@given(shapes(), proxies)
def test_nftables_deletes_what_it_added(shape: ServiceShape, proxy: KubeProxy) -> None:
    made = nftables_operations(NO_SERVICE, shape, proxy)
    gone = nftables_operations(shape, NO_SERVICE, proxy)
    tally = rule_sets([(shape, 1)], proxy, base=False).nftables
    assert made == 2 * tally.chains + tally.rules + tally.affinity_sets + tally.named
    assert gone == tally.chains + tally.affinity_sets + tally.named
