"""Options of `capacity node` alone: the pod, the room kept on the node, and which types are listed."""

from __future__ import annotations

from typing import Annotated

import typer

from capacity.cli.options import words
from capacity.plan.constants import ARCHS, MODES

PodCpu = Annotated[
    str | None,
    typer.Option("--pod-cpu", help="CPU request of the pod, such as 250m.", metavar="QUANTITY", show_default=False),
]
PodMemory = Annotated[
    str | None,
    typer.Option(
        "--pod-memory", help="Memory request of the pod, such as 512Mi.", metavar="QUANTITY", show_default=False
    ),
]
SecurityGroups = Annotated[
    bool, typer.Option("--security-groups", help="The pod uses security groups for pods: one branch ENI per pod.")
]
PodVolumes = Annotated[
    int | None,
    typer.Option("--pod-volumes", help="EBS volumes per pod.", metavar="N", show_default=False),
]
Daemonset = Annotated[
    list[str] | None,
    typer.Option("--daemonset", help="DaemonSet, NAME=cpu,memory[,hostNetwork]. Repeatable.", metavar="SPEC"),
]
MaxPods = Annotated[
    int | None,
    typer.Option(
        "--max-pods", help="Max pods of the node, instead of the computed value.", metavar="N", show_default=False
    ),
]
Pods = Annotated[
    int | None,
    typer.Option(
        "--pods",
        help="Show the address pool of a node with N pods on VPC addresses.",
        metavar="N",
        show_default=False,
    ),
]
Mode = Annotated[
    str | None,
    typer.Option(
        "--mode",
        help="secondary (default), prefix or ipv6.",
        metavar="MODE",
        show_default=False,
        autocompletion=words(*MODES),
    ),
]
Region = Annotated[str, typer.Option("--region", help="AWS Region of the On-Demand price.", metavar="REGION")]
VmMemoryOverhead = Annotated[
    str, typer.Option("--vm-memory-overhead", help="Fraction of memory that the hypervisor uses.", metavar="SHARE")
]
SystemReserved = Annotated[
    str | None,
    typer.Option("--system-reserved", help="cpu=QUANTITY,memory=QUANTITY.", metavar="SPEC", show_default=False),
]
EvictionHard = Annotated[
    str,
    typer.Option("--eviction-hard", help="memory.available threshold: a quantity or a percentage.", metavar="AMOUNT"),
]
VcpusMin = Annotated[
    int | None,
    typer.Option("--vcpus-min", help="Only types with at least N vCPUs.", metavar="N", show_default=False),
]
VcpusMax = Annotated[
    int | None,
    typer.Option("--vcpus-max", help="Only types with at most N vCPUs.", metavar="N", show_default=False),
]
MemoryMin = Annotated[
    str | None,
    typer.Option("--memory-min", help="Only types with at least this memory.", metavar="QUANTITY", show_default=False),
]
MemoryMax = Annotated[
    str | None,
    typer.Option("--memory-max", help="Only types with at most this memory.", metavar="QUANTITY", show_default=False),
]
Arch = Annotated[
    str | None,
    typer.Option(
        "--arch",
        help="Only types of this architecture: x86_64 or arm64.",
        metavar="ARCH",
        show_default=False,
        autocompletion=words(*ARCHS),
    ),
]
Family = Annotated[
    list[str] | None,
    typer.Option("--family", help="Only this family, such as m7g. Repeatable.", metavar="NAME"),
]
Current = Annotated[bool, typer.Option("--current-generation", help="Only types of the current generation.")]
Sort = Annotated[
    str | None,
    typer.Option(
        "--sort", help="Sort by a key of the JSON output; -KEY sorts descending.", metavar="KEY", show_default=False
    ),
]
Limit = Annotated[int | None, typer.Option("--limit", help="Show at most N rows.", metavar="N", show_default=False)]
