"""A generated plan of any size: node groups, subnets and workloads as a large fleet has them."""

from __future__ import annotations

import random
import sys
from pathlib import Path

TYPES = (
    "m5.large",
    "m5.xlarge",
    "m5.2xlarge",
    "m6i.large",
    "m6i.xlarge",
    "m6i.4xlarge",
    "c6i.xlarge",
    "c6i.2xlarge",
    "r6i.xlarge",
    "r6i.2xlarge",
    "m7g.large",
    "m7g.xlarge",
    "c7g.2xlarge",
    "r7g.large",
    "m7i.2xlarge",
    "c5.4xlarge",
)


def plan_text(groups: int, subnets: int, workloads: int, seed: int = 1, anywhere: bool = False) -> str:
    """The plan as YAML; ``anywhere`` lets every workload use every group."""
    rng = random.Random(seed)
    zones = ["us-east-1a", "us-east-1b", "us-east-1c"]
    lines = ["apiVersion: capacity/v1", "metadata: {name: big}", "region: us-east-1", "vpc:"]
    lines += ["  cidrs: [" + ", ".join(f"10.{b}.0.0/16" for b in range(subnets // 64 + 1)) + "]", "  subnets:"]
    for i in range(subnets):
        cidr = f"10.{i // 64}.{i % 64 * 4}.0/22"
        lines.append(f"    - {{name: s{i}, zone: {zones[i % 3]}, cidr: {cidr}, used: {rng.randint(0, 60)}}}")
    lines.append("nodeGroups:")
    for i in range(groups):
        own = [f"s{(3 * rng.randrange(subnets // 3)) + z}" for z in range(3)]
        desired = rng.randint(3, 20)
        lines += [
            f"  - name: g{i}",
            f"    instanceTypes: [{rng.choice(TYPES)}]",
            f"    nodes: {{min: 3, desired: {desired}, max: {desired * 2}}}",
            f"    subnets: [{', '.join(own)}]",
        ]
    lines.append("workloads:")
    for i in range(workloads):
        now = rng.randint(1, 12)
        lines += [
            f"  - name: w{i}",
            f"    replicas: {{now: {now}, max: {now * 2}}}",
            f"    requests: {{cpu: {rng.choice([50, 100, 150])}m, memory: {rng.choice([64, 128, 256])}Mi}}",
        ]
        if not anywhere:
            lines.append(f"    nodeGroups: [g{rng.randrange(groups)}]")
    lines += ["daemonSets:", "  - {name: log-agent, requests: {cpu: 50m, memory: 64Mi}}"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    size = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    Path(sys.argv[1]).write_text(plan_text(500 // size, 300 // size, 10_000 // size, anywhere="anywhere" in sys.argv))
