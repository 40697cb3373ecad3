"""What an import writes is read back as it was, whatever the text; merging never loses a statement."""

from __future__ import annotations

from ipaddress import IPv4Network

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from capacity.plan.document import parse_yaml
from capacity.plan.yaml_writer import scalar
from capacity.readers.assumed_network import FreeSpace
from capacity.readers.complete import complete
from capacity.readers.draft import GroupDraft, PlanDraft, SubnetDraft, WorkloadDraft
from capacity.readers.existing_plan import plan_draft, plan_section, render
from capacity.readers.merge import Piece, merge

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
counts = st.none() | st.integers(0, 5000)


@given(texts)
def test_every_text_comes_back_from_yaml(text: str) -> None:
    assert parse_yaml(f"{{k: {scalar(text)}}}", "t") == {"k": text}


workloads = st.builds(
    WorkloadDraft,
    name=texts,
    replicas=counts,
    max_replicas=counts,
    cpu_millicores=counts,
    memory_bytes=counts,
    max_surge=st.none() | st.sampled_from([0, 1, "0%", "25%"]),
    max_unavailable=st.none() | st.sampled_from([0, 2, "0%", "50%"]),
    host_network=st.none() | st.booleans(),
    security_groups=st.none() | st.booleans(),
)
groups = st.builds(
    GroupDraft,
    name=texts,
    instance_types=st.none() | st.lists(st.sampled_from(["m5.large", "t2.micro", "nope"]), max_size=3).map(tuple),
    min_nodes=counts,
    desired=counts,
    max_nodes=counts,
    subnets=st.none() | st.lists(st.sampled_from(["a", "b", "subnet-1"]), max_size=3, unique=True).map(tuple),
)
subnets = st.builds(
    SubnetDraft,
    name=st.sampled_from(["a", "b", "c"]),
    zone=st.none() | st.sampled_from(["us-east-1a", "us-east-1b"]),
    cidr=st.none() | st.integers(0, 3).map(lambda i: IPv4Network(f"10.0.{i * 16}.0/20")),
    id=st.none() | st.sampled_from(["subnet-1", "subnet-2"]),
)


def named(entries: list[Piece]) -> tuple[Piece, ...]:
    return tuple({e.name: e for e in entries}.values())


drafts = st.builds(
    PlanDraft,
    source=texts,
    name=st.none() | texts,
    ip_family=st.none() | st.sampled_from(["ipv4", "ipv6"]),
    env=st.dictionaries(
        st.sampled_from(
            ["AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG", "ENABLE_IPv6", "ENABLE_PREFIX_DELEGATION", "WARM_IP_TARGET"]
        ),
        st.sampled_from(["true", "false", "3", ""]),
    ),
    subnets=st.lists(subnets, max_size=3).map(named),
    node_groups=st.lists(groups, max_size=3).map(named),
    workloads=st.lists(workloads, max_size=3).map(named),
)


quick = settings(max_examples=40, phases=[Phase.explicit, Phase.generate], deadline=None)


@quick
@given(drafts)
def test_check_reads_whatever_is_written_and_completing_changes_nothing_more(draft: PlanDraft) -> None:
    done = complete(draft)
    text = render(done)  # raises where `check` would refuse
    assert render(complete(done)) == text


@quick
@given(drafts, drafts)
def test_merging_keeps_what_the_first_source_states(first: PlanDraft, second: PlanDraft) -> None:
    merged = merge(first, second)
    by_name = {w.name: w for w in merged.workloads}
    for workload in first.workloads:
        if workload.replicas is not None:
            assert by_name[workload.name].replicas == workload.replicas
    assert {s.name for s in first.subnets} <= {s.name for s in merged.subnets}
    text = render(complete(merged))
    assert plan_draft(plan_section(text, "p")).node_groups or not (first.node_groups or first.workloads)


@given(
    st.lists(st.tuples(st.integers(20, 28), st.integers(0, 255)), max_size=12),
    st.lists(st.integers(18, 28), min_size=1, max_size=8),
)
def test_free_space_is_the_first_that_nothing_overlaps(held: list[tuple[int, int]], wanted: list[int]) -> None:
    blocks = [IPv4Network("10.0.0.0/20"), IPv4Network("10.0.64.0/22")]
    taken = [IPv4Network((int(blocks[0][0]) + (i % 2 ** (n - 20)) * 2 ** (32 - n), n)) for n, i in held]
    space = FreeSpace(blocks, taken)
    for size in wanted:
        free = (c for b in space.blocks if size >= b.prefixlen for c in b.subnets(new_prefix=size))
        plain = next((c for c in free if not any(c.overlaps(t) for t in taken)), None)
        found = space.take(size)
        if plain is not None:
            assert found == plain
        assert not any(found.overlaps(t) for t in taken)
        taken.append(found)
