"""Read the node groups of a cluster from AWS: managed groups, Auto Scaling groups, Karpenter's and other nodes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from capacity.plan.yaml_writer import printable
from capacity.readers.aws.kinds import KINDS, MOST_NAME, Gap
from capacity.readers.aws.owners import cluster_of
from capacity.readers.draft import GroupDraft, Note, at
from capacity.readers.node_group import EKS_DEFAULT_TYPE, SourceGroup, group_draft
from capacity.readers.user_data import ami_of, decoded_user_data, family_of_user_data, max_pods_of_user_data
from capacity.readers.values import Item, count, objects, section, tags, text, texts

if TYPE_CHECKING:
    from capacity.catalog.table import Catalog
    from capacity.readers.aws.answers import AwsAnswers

POOL_TAGS = ("karpenter.sh/nodepool", "karpenter.sh/provisioner-name", "eks:kubernetes-node-pool-name")
GONE = frozenset(("shutting-down", "terminated", "stopping", "stopped"))


@dataclass(frozen=True)
class Groups:
    """Node groups with notes, and the instances of each group."""

    drafts: tuple[GroupDraft, ...] = ()
    notes: tuple[Note, ...] = ()
    gaps: tuple[Gap, ...] = ()
    nodes: Mapping[str, str] = field(default_factory=dict)
    assumed: frozenset[str] = frozenset()


def parse_groups(answers: AwsAnswers, cluster: str, names: Mapping[str, str], catalog: Catalog) -> Groups:
    """Read all node groups of ``cluster``; ``names`` are the names of subnets by identifier."""
    return _Reader(answers, cluster, names, catalog).read()


def cluster_instances(answers: AwsAnswers, cluster: str) -> tuple[Item, ...]:
    """Instances that are nodes of the cluster and are not terminating; none if the cluster is not known."""
    return tuple(
        i
        for i in answers.of("instances")
        if cluster and cluster_of(tags(i)) == cluster and text(section(i, "State"), "Name") not in GONE
    )


class _Reader:
    def __init__(self, answers: AwsAnswers, cluster: str, names: Mapping[str, str], catalog: Catalog) -> None:
        self.answers = answers
        self.cluster = cluster
        self.names = names
        self.catalog = catalog
        self.notes: list[Note] = []
        self.gaps: list[Gap] = []
        self.assumed: set[str] = set()
        self.unread: set[str] = set()  # groups whose launch template was not read
        self.drafts: dict[str, GroupDraft] = {}
        self.nodes: dict[str, str] = {}
        self.scaling = {text(g, "AutoScalingGroupName"): g for g in answers.of("autoscaling_groups")}
        self.templates = answers.of("launch_templates")

    def read(self) -> Groups:
        instances = cluster_instances(self.answers, self.cluster)
        managed = [g for g in self.answers.of("nodegroups") if text(g, "clusterName") in (self.cluster, "")]
        described = {text(g, "nodegroupName") for g in managed}
        for name in self.answers.listed.get("nodegroups", ()):
            if name not in described:
                self._gap_of_group(name)
        owned: set[str] = set()
        for group in managed:
            owned |= self._managed(group, instances)
        for name, group in self.scaling.items():
            if name not in owned and self._is_ours(group):
                self._self_managed(name, group, instances)
        self._loose([i for i in instances if text(i, "InstanceId") not in self.nodes])
        return Groups(
            tuple(self.drafts.values()), tuple(self.notes), tuple(self.gaps), self.nodes, frozenset(self.assumed)
        )

    def _gap_of_group(self, name: str) -> None:
        kind = KINDS["nodegroups"]
        command = kind.command_for(cluster=self.cluster, nodegroup=name)
        self.gaps.append(Gap("nodegroups", "only listed", f"the managed node group {name}", command, kind.actions))

    # --- managed ---------------------------------------------------------------------------

    def _managed(self, group: Item, instances: Sequence[Item]) -> set[str]:
        """Read one managed group; return the names of its Auto Scaling groups."""
        name = text(group, "nodegroupName")
        mine = [i for i in instances if tags(i).get("eks:nodegroup-name") == name]
        scaling_names = {text(g, "name") for g in objects(section(group, "resources"), "autoScalingGroups", name)}
        template = self._template(section(group, "launchTemplate"), "id", name)
        data = section(template, "LaunchTemplateData") if template else {}
        own = text(data, "InstanceType")  # EKS refuses a group with types in addition to those of its template
        types = [own] if own else texts(group, "instanceTypes")
        if not types and (template is not None or not section(group, "launchTemplate")):
            self._say(name, f"no instance type: EKS uses {EKS_DEFAULT_TYPE}", "instanceTypes")
            types = [EKS_DEFAULT_TYPE]
        sizes = section(group, "scalingConfig")
        low, desired, high = (count(sizes, k) for k in ("minSize", "desiredSize", "maxSize"))
        for scaling in (self.scaling[n] for n in sorted(scaling_names) if n in self.scaling):
            now = count(scaling, "DesiredCapacity")
            if now is not None and now != desired and len(scaling_names) == 1:
                self._say(
                    name, f"its Auto Scaling group requests {now} nodes, EKS reports {desired}: {now} is used", "nodes"
                )
                desired = now
        update = section(group, "updateConfig")
        user_data = decoded_user_data(text(data, "UserData"))
        draft = group_draft(
            SourceGroup(
                name=name,
                provisioner="managed",
                ami=ami_of(text(group, "amiType")) or family_of_user_data(user_data),
                low=low,
                desired=desired,
                high=high,
                unavailable_percent=update.get("maxUnavailablePercentage"),
                unavailable=update.get("maxUnavailable"),
                update_strategy=text(update, "updateStrategy").lower(),
                spot=text(group, "capacityType") == "SPOT",
            )
        )
        taints = [f"{text(t, 'key')}={text(t, 'value')}:{text(t, 'effect')}" for t in objects(group, "taints", name)]
        draft = self._max_pods(draft, text(group, "amiType"), user_data)
        own_ami = text(group, "amiType") == "CUSTOM"
        guessed = ("instanceTypes", *(("ami", "provisioner", "maxPods") if own_ami else ()))
        kept = self._keep(draft, types, texts(group, "subnets"), mine, guessed if name in self.unread else ())
        if kept and taints:
            self._say(name, f"tainted ({', '.join(taints)}): set nodeGroups of the workloads to keep others off it")
        return scaling_names

    def _max_pods(self, draft: GroupDraft, ami_type: str, user_data: str) -> GroupDraft:
        """Max pods from user data, if EKS applies it: with a custom AMI, and on Bottlerocket."""
        by_hand, expression = max_pods_of_user_data(user_data)
        if ami_type == "CUSTOM":
            if draft.ami is None:
                self._say(draft.name, "custom AMI of unknown family: assumed al2023", "ami")
            if by_hand is None and expression is None:
                self._say(
                    draft.name,
                    "custom AMI: EKS does not set max pods, the default of the AMI applies (ENI formula, uncapped)",
                    "provisioner",
                )
                return replace(draft, ami=draft.ami or "al2023", provisioner="self-managed")
            return replace(draft, ami=draft.ami or "al2023", max_pods=by_hand, max_pods_expression=expression)
        if by_hand is not None and draft.ami == "bottlerocket":
            return replace(draft, max_pods=by_hand)
        if by_hand is not None or expression is not None:
            self._say(
                draft.name,
                "user data sets max pods, but without a custom AMI the value of EKS takes precedence",
                "maxPods",
            )
        return draft

    # --- self-managed ----------------------------------------------------------------------

    def _is_ours(self, group: Item) -> bool:
        tagged = tags(group)
        return cluster_of(tagged) == self.cluster or f"k8s.io/cluster-autoscaler/{self.cluster}" in tagged

    def _self_managed(self, name: str, group: Item, instances: Sequence[Item]) -> None:
        tagged = tags(group)
        mixed = section(group, "MixedInstancesPolicy")
        wanted = section(mixed, "LaunchTemplate")
        reference = section(wanted, "LaunchTemplateSpecification") or section(group, "LaunchTemplate")
        template = self._template(reference, "LaunchTemplateId", name)
        data = section(template, "LaunchTemplateData") if template else {}
        overrides = [text(o, "InstanceType") for o in objects(wanted, "Overrides", name)]
        inside = {text(i, "InstanceId"): i for i in objects(group, "Instances", name)}
        types = [t for t in overrides if t] or [t for t in [text(data, "InstanceType")] if t]
        types = types or [t for t in (text(i, "InstanceType") for i in inside.values()) if t]
        user_data = decoded_user_data(text(data, "UserData"))
        ami = family_of_user_data(user_data)
        by_hand, expression = max_pods_of_user_data(user_data)
        low, desired, high = (count(group, k) for k in ("MinSize", "DesiredCapacity", "MaxSize"))
        shown = tagged.get("alpha.eksctl.io/nodegroup-name") or name
        if ami is None:
            self._say(shown, "AMI family unknown (AWS stores only an image ID): assumed al2023", "ami")
        source = SourceGroup(
            name=shown, provisioner="self-managed", ami=ami or "al2023", low=low, desired=desired, high=high
        )
        draft = replace(group_draft(source), max_pods=by_hand, max_pods_expression=expression)
        mine = [i for i in instances if text(i, "InstanceId") in inside]
        zones = [z.strip() for z in text(group, "VPCZoneIdentifier").split(",") if z.strip()]
        guessed = ("ami", "maxPods", *(("instanceTypes",) if not any(overrides) else ()))
        self._keep(draft, types, zones, mine, guessed if name in self.unread else ())

    # --- nodes without a group that AWS knows -------------------------------------------------

    def _loose(self, instances: Sequence[Item]) -> None:
        pools: dict[tuple[str, bool], list[Item]] = {}
        for instance in instances:
            tagged = tags(instance)
            pool = next((tagged[t] for t in POOL_TAGS if tagged.get(t)), "")
            group = tagged.get("eks:nodegroup-name") or tagged.get("alpha.eksctl.io/nodegroup-name") or "other-nodes"
            pools.setdefault((pool or group, bool(pool)), []).append(instance)
        for (name, karpenter), members in sorted(pools.items()):
            kinds = Counter(text(i, "InstanceType") for i in members)
            subnets = list(dict.fromkeys(sorted(text(i, "SubnetId") for i in members)))
            provisioner = "karpenter" if karpenter else "self-managed"
            draft = group_draft(SourceGroup(name=name, provisioner=provisioner, low=0, desired=len(members)))
            what = "Karpenter's pool" if karpenter else "nodes whose group could not be read"
            self._say(
                name,
                f"{what}: {len(members)} nodes now; the maximum, other types and the AMI are not in AWS's data"
                + (" (also import the NodePool and EC2NodeClass)" if karpenter else ""),
                "nodes",
            )
            guessed = () if karpenter or self.answers.has("nodegroups") else ("provisioner", "nodes", "ami", "maxPods")
            ordered = [t for t, _ in sorted(kinds.items(), key=lambda k: (-k[1], k[0]))]
            self._keep(draft, ordered, subnets, members, guessed)

    # --- shared ------------------------------------------------------------------------------

    def _template(self, reference: Item, key: str, group: str) -> Item | None:
        """Launch template version of a group; a gap if it was not read."""
        ident, version = text(reference, key), reference.get("version", reference.get("Version"))
        if not ident:
            return None
        found = [t for t in self.templates if text(t, "LaunchTemplateId") == ident]
        exact = [t for t in found if str(t.get("VersionNumber")) == str(version)]
        default = [t for t in found if t.get("DefaultVersion") is True and str(version) in ("$Default", "None")]
        latest = sorted(found, key=lambda t: count(t, "VersionNumber") or 0)[-1:] if str(version) == "$Latest" else []
        chosen = exact or default or latest
        if chosen:
            return chosen[0]
        self.unread.add(group)
        kind = KINDS["launch_templates"]
        command = kind.command_for(template=ident, version=str(version or "$Default"))
        self.gaps.append(Gap("launch_templates", "not read", f"the launch template of {group}", command, kind.actions))
        return None

    def _keep(
        self,
        draft: GroupDraft,
        types: Sequence[str],
        subnets: Sequence[str],
        members: Sequence[Item],
        guessed: Sequence[str] = (),
    ) -> bool:
        """Add a group, or note why not; return whether it was added.

        ``guessed`` are keys whose answer was not read.
        """
        for instance in members:
            self.nodes[text(instance, "InstanceId")] = printable(draft.name)[:MOST_NAME]
        running = Counter(text(i, "InstanceType") for i in members)
        types = list(dict.fromkeys([*types, *sorted(running, key=lambda t: (-running[t], t))]))
        ordered = sorted(types, key=lambda t: -running[t])
        if ordered[:1] != types[:1]:
            self._say(draft.name, f"{ordered[0]} comes first: most of its nodes run on it now", "instanceTypes")
        known = tuple(t for t in ordered if self._plannable(draft.name, t))
        here = tuple(dict.fromkeys(self.names.get(s, s) for s in subnets))
        absent = sorted({s for s in subnets if s not in self.names})
        if absent:
            self._say(draft.name, f"its subnets {', '.join(absent)} are not in the input", "subnets")
        unread = "instanceTypes" in guessed  # the types are in an answer that was not read: some are assumed later
        if not (known or unread):
            self._say(draft.name, "not in the plan: no instance type that can be planned is known")
            return False
        high = draft.max_nodes
        if high is not None and draft.desired is not None and draft.desired > high:
            self._say(draft.name, f"{draft.desired} nodes are requested, above its max of {high}", "nodes")
            high = draft.desired
        low = draft.min_nodes
        if low is not None and draft.desired is not None and draft.desired < low:
            self._say(draft.name, f"{draft.desired} nodes are requested, below its min of {low}", "nodes")
            low = draft.desired
        name = printable(draft.name)[:MOST_NAME] or "nodes"
        while name in self.drafts:
            name += "-2"
        self.drafts[name] = replace(
            draft, name=name, instance_types=known or None, subnets=here or None, min_nodes=low, max_nodes=high
        )
        for key in guessed if known else [k for k in guessed if k != "instanceTypes"]:
            self._assume(at("nodeGroups", name, key))
        return True

    def _assume(self, path: str) -> None:
        self.assumed.add(path)
        why = "its launch template was not read" if self.answers.has("nodegroups") else "the node groups were not read"
        self.notes.append(Note(f"{path}: assumed: {why}", path))

    def _plannable(self, group: str, name: str) -> bool:
        """Whether the catalog has the figures that a plan needs."""
        kind = self.catalog.get(name) if name in self.catalog else None
        figures = (kind.max_enis, kind.ipv4_per_eni, kind.vcpus, kind.memory_mib) if kind else (None,)
        if None not in figures:
            return True
        why = "is not in the catalog" if kind is None else "has no ENI figures in the catalog"
        self._say(group, f"{name} {why} (capacity data refresh, or an override file)", "instanceTypes")
        return False

    def _say(self, group: str, message: str, key: str = "") -> None:
        self.notes.append(Note(f"node group {group}: {message}", at("nodeGroups", group, key)))
