"""Explains max pods and allocatable in terms with their sources; built only on demand."""

from __future__ import annotations

from capacity.catalog.instance_type import InstanceType
from capacity.cni.facade import gives_prefixes
from capacity.node.density import AUTO_MAX_PODS, LARGE_ABOVE_VCPUS
from capacity.node.figures import LIMITS, unmanaged_of
from capacity.node.maxpods import MaxPods
from capacity.node.offer import Offer
from capacity.node.platform import WITH_PREFIXES, Platform
from capacity.plan.cilium import OWN_ADDRESSES
from capacity.plan.constants import CILIUM, OVERLAY
from capacity.trace import Term

Terms = list[Term]

NODEADM = "awslabs/amazon-eks-ami@81fec2e8 nodeadm/internal/kubelet"
SCRIPT = "awslabs/amazon-eks-ami@8e751826~1 templates/al2/runtime/max-pods-calculator.sh"
KARPENTER = "aws/karpenter-provider-aws@1d927085 pkg/providers/instancetype/types.go"
CILIUM_GO = "cilium/cilium@00137987 pkg/aws/eni/node.go"
GUIDE = "awsdocs/amazon-eks-user-guide@4d52b4d nodes/choosing-instance-type.adoc"


def max_pods_terms(row: MaxPods, of: InstanceType, on: Platform) -> Terms:
    """Each figure of a max-pods row with its source."""
    data = "data/eni_limits.csv: " + ";".join(of.sources)
    terms: Terms = [
        Term("max_enis", row.max_enis, "ENIs of the default network card", data),
        Term("ipv4_per_eni", row.ipv4_per_eni, "addresses per ENI, including its primary", data),
    ]
    if on.cni == OVERLAY and row.max_pods_recommended is not None:
        why = f"AWS recommends at most 250 above {LARGE_ABOVE_VCPUS} vCPUs, otherwise 110; the type has {of.vcpus}"
        return [
            *terms,
            Term("ip_capacity", None, "overlay CNI: pods use no VPC addresses, so ENIs do not limit them"),
            Term("max_pods_recommended", row.max_pods_recommended, why, f"{GUIDE} L108"),
            Term("max_pods", row.max_pods, *_kubelet(on)),
            Term("limited_by", row.limited_by, LIMITS[row.limited_by]),
        ]
    if row.max_pods_formula is None:
        return [*terms, Term("max_pods_formula", None, LIMITS[row.limited_by])]
    enis_source = f"{SCRIPT} L128-140" if on.cni != CILIUM else f"{CILIUM_GO} GetMaximumAllocatableIPv4"
    terms.append(Term("usable_enis", row.usable_enis, _usable(of, on), enis_source))
    prefix = on.mode in WITH_PREFIXES and gives_prefixes(on.settings, of)
    slots = f"{row.usable_enis} × ({row.ipv4_per_eni} − 1)" + (" × 16 per prefix" if prefix else "")
    if row.ip_capacity is not None:
        terms.append(Term("ip_capacity", row.ip_capacity, *_capacity(on, slots)))
    host = "" if on.windows else " + 2 host-network pods"
    if on.network_pods:
        host += f" ({on.agents[0]}, kube-proxy)"
    if on.cilium is not None:
        slots = f"{row.ip_capacity}"
    terms.append(Term("max_pods_formula", row.max_pods_formula, slots + host, f"{NODEADM}/eni_max_pods.go L75-77"))
    cap = "250, above" if (of.vcpus or 0) > LARGE_ABOVE_VCPUS else "110, not above"
    why = f"min({row.max_pods_formula}, {cap} {LARGE_ABOVE_VCPUS} vCPUs: the type has {of.vcpus})"
    terms.append(Term("max_pods_recommended", row.max_pods_recommended, why, f"{SCRIPT} L149-162; {GUIDE} L108"))
    terms.append(Term("max_pods", row.max_pods, *_kubelet(on)))
    if row.max_pods_expression is not None:
        terms.append(
            Term(
                "max_pods_expression",
                row.max_pods_expression,
                on.expression or "",
                f"{NODEADM}/eni_max_pods.go L66-108",
            )
        )
    if on.pod_eni:
        terms.append(
            Term(
                "branch_enis",
                row.branch_enis,
                "branch ENIs that the VPC resource controller allows on a node of this type",
                data,
            )
        )
    terms.append(Term("limited_by", row.limited_by, LIMITS[row.limited_by]))
    return terms


def _capacity(on: Platform, slots: str) -> tuple[str, str]:
    """Reason and source of the pods that can have an address."""
    if on.cilium is None:
        return slots, "aws/amazon-vpc-cni-k8s@b5218838 ipamd.go L2570-2584"
    limit = f", at most {on.cilium.max_allocate} (maxAllocate)" if on.cilium.max_allocate else ""
    return (
        f"{slots}{limit}, − {OWN_ADDRESSES} used by Cilium itself",
        f"{CILIUM_GO} GetMaximumAllocatableIPv4; #22054",
    )


def _usable(of: InstanceType, on: Platform) -> str:
    if on.windows:
        return "Windows pods use one ENI"
    parts = [f"min({of.max_enis}, MAX_ENI {on.max_eni})" if on.max_eni is not None else f"{of.max_enis}"]
    if on.cilium is not None and on.cilium.first_interface_index:
        parts.append(f"{on.cilium.first_interface_index} before firstInterfaceIndex")
    reserved = on.reserved_enis if on.cni != CILIUM else unmanaged_of(of, on)
    parts += [f"{reserved} reserved"] if reserved else []
    parts += ["1 primary without pod addresses (custom networking)"] if on.custom_networking else []
    beside = min(of.max_enis or 0, on.max_eni or of.max_enis or 0) - unmanaged_of(of, on) > 1
    parts += ["1 slot for the trunk"] if on.pod_eni and of.trunk_slot and beside else []
    return " − ".join(parts)


def _kubelet(on: Platform) -> tuple[str, str]:
    """Reason and source of the kubelet's max pods."""
    if on.windows:
        return (
            "the kubelet's default on Windows",
            "aws/aws-eks-best-practices@dc0243a networking/prefix-mode_windows.adoc L39",
        )
    if on.provisioner == "karpenter":
        return (
            "Karpenter: ENI formula minus RESERVED_ENIS, ignores prefixes and custom networking",
            f"{KARPENTER} L641-661",
        )
    if on.auto:
        why = f"EKS Auto Mode: AWS's formula with prefixes, at most {AUTO_MAX_PODS}"
        return why, "awsdocs/amazon-eks-user-guide@4d52b4d nodes/choosing-instance-type.adoc L112-117"
    if on.provisioner == "managed":
        why = "EKS's value for a managed node group: AWS's script, capped"
        return why, "awsdocs/amazon-eks-user-guide@4d52b4d nodes/create-managed-node-group.adoc L23, L103"
    why = "the AMI's default: the ENI formula, uncapped, ignores prefixes and custom networking (or its expression)"
    return why, f"{NODEADM}/eni_max_pods.go L32-77"


def _kept(got: Offer, on: Platform) -> tuple[str, str]:
    """Reason and source of kube-reserved memory: the pods that this platform computes it for."""
    memory = got.allocatable.kube_reserved_memory_mib
    pods = "?" if memory is None else f"{(memory - 255) // 11:,}"
    if on.ami == "bottlerocket":
        which, source = "max pods as configured", "bottlerocket-core-kit@a10182f9 kubelet-config L84-93"
    elif on.ami == "windows":
        which, source = "max pods as configured", f"{KARPENTER} L305-306 (assumed for every provisioner)"
    elif on.provisioner == "karpenter":
        which, source = "the ENI formula, regardless of max pods", f"{KARPENTER} L305-306, L680"
    elif on.ami == "al2":
        which, source = (
            "the ENI formula, regardless of max pods",
            "awslabs/amazon-eks-ami@8e751826~1 bootstrap.sh L274-278",
        )
    else:
        which = "the ENI formula or maxPodsExpression, regardless of max pods"
        source = f"{NODEADM}/config.go L274-288, L442-444"
    return f"255 + 11 × {pods} pods: {which}", source


def offer_terms(got: Offer, of: InstanceType, on: Platform) -> Terms:
    """Each figure of a node's offer with its source."""
    left = got.allocatable
    why_memory = (
        f"{of.memory_mib} MiB{' − 64 on arm64' if of.arch == 'arm64' else ''}, minus the VM overhead, rounded up"
    )
    kept = _kept(got, on)
    return [
        Term("max_pods", got.max_pods, *_kubelet(on)),
        Term(
            "kube_reserved_cpu",
            left.kube_reserved_cpu,
            "6% of core 1, 1% of core 2, 0.5% of 3-4, 0.25% of the rest",
            f"{NODEADM}/config.go L410-440",
        ),
        Term(
            "allocatable_cpu_millicores",
            left.cpu_millicores,
            "vCPUs × 1000 − kube-reserved − system-reserved",
            f"{NODEADM}/config.go L275-288",
        ),
        Term(
            "memory_capacity_mib",
            left.memory_capacity_mib,
            why_memory,
            f"{KARPENTER} L512-522 (an estimate for other provisioners)",
        ),
        Term("kube_reserved_memory_mib", left.kube_reserved_memory_mib, *kept),
        Term("eviction_mib", left.eviction_mib, "memory.available threshold", f"{NODEADM}/config.go L110-114"),
        Term("allocatable_memory_mib", left.memory_mib, "capacity − kube-reserved − system-reserved − eviction"),
        Term(
            "fits",
            {k: v for k, v in got.fits.items() if v is not None},
            "pods of the shape after DaemonSets, per resource",
            "",
        ),
        Term("pods", got.pods, f"the smallest of them: limited by {got.binding}"),
    ]
