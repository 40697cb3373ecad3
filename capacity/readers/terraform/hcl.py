"""Read Terraform .tf text, for use if no plan is available.

Literals, locals, defaults and pure functions are evaluated; the modules vpc and eks of terraform-aws-modules use
their documented defaults (terraform-aws-modules/terraform-aws-eks and -vpc, README read 2026-11-25). Unknown values are
reported; `terraform show -json` of a plan has them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from capacity.errors import MissingExtra, SpecError
from capacity.readers.decode import decode, file_name, read_data
from capacity.readers.draft import SourceNotes
from capacity.readers.terraform.expression import Budget, Scope, evaluate, too_large
from capacity.readers.terraform.value import UNKNOWN, Open, Unknown, known_parts, unquoted
from capacity.readers.terraform.resource import Resource
from capacity.readers.values import bool_of, items, mapping

_ZONES = "abcdef"
MOST_INSTANCES = 1000  # of one resource
MODULE_GROUP_SIZES = {"min_size": 1, "max_size": 3, "desired_size": 1}  # terraform-aws-eks, eks-managed-node-group


@dataclass
class _Module:
    """The blocks of the files of one folder, and values already evaluated."""

    said: SourceNotes
    variables: dict[str, Any] = field(default_factory=dict)
    locals: dict[str, Any] = field(default_factory=dict)
    resources: list[tuple[str, str, Any]] = field(default_factory=list)
    calls: dict[str, Any] = field(default_factory=dict)
    region: str | None = None
    made: dict[str, list[Resource]] = field(default_factory=dict)  # "aws_subnet.private" -> instances
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)  # module -> its known outputs
    busy: set[str] = field(default_factory=set)
    values: dict[tuple[str, str], Any] = field(default_factory=dict)  # of variables and locals, each evaluated once
    budget: Budget = field(default_factory=Budget)

    def learnt(self) -> None:
        """Record that locals can have new values: they are evaluated again."""
        self.values.clear()

    # --- evaluating -------------------------------------------------------------------------

    def value(self, raw: object, scope: Scope | None = None) -> Any:
        """Evaluate a value of python-hcl2; unknown parts stay :data:`UNKNOWN`."""
        if isinstance(raw, dict):
            return {unquoted(k): self.value(v, scope) for k, v in raw.items() if k != "__is_block__"}
        if isinstance(raw, list):
            return [self.value(v, scope) for v in raw]
        if not isinstance(raw, str):
            return raw
        if raw.startswith("${") and raw.endswith("}"):
            return evaluate(raw[2:-1], self.look, scope, self.budget)
        if raw.startswith('"') and raw.endswith('"') and len(raw) > 1:
            return evaluate(raw, self.look, scope, self.budget)
        return UNKNOWN if raw.startswith("<<") else raw

    def look(self, name: str, _: Scope) -> Any:
        """Value of a root name."""
        if name == "var":
            return Open({k: self.variable(k) for k in self.variables})
        if name == "local":
            return _Lazy(self)
        if name == "data":
            zones = [f"{self.region or 'zone-'}{letter}" for letter in _ZONES]
            region = _Any({"name": self.region or UNKNOWN})
            return Open({"aws_availability_zones": _Any({"names": zones}), "aws_region": region})
        if name == "module":
            return Open({name: Open(outputs) for name, outputs in self.outputs.items()})
        if name.startswith("aws_"):
            mine = {key.partition(".")[2]: r for key, r in self.made.items() if key.partition(".")[0] == name}
            return Open({n: _instances(r) for n, r in mine.items()})
        return UNKNOWN

    def variable(self, name: str) -> Any:
        return self._once(("var", name), self.variables[name])

    def _once(self, key: tuple[str, str], raw: object) -> Any:
        if key not in self.values:
            value = self.value(raw)
            self.values[key] = UNKNOWN if too_large(value) else value
        return self.values[key]

    def local(self, name: str) -> Any:
        if name in self.busy or name not in self.locals:
            return UNKNOWN
        self.busy.add(name)
        try:
            return self._once(("local", name), self.locals[name])
        finally:
            self.busy.discard(name)


class _Lazy(Open):
    """Locals, each evaluated when it is first used."""

    def __init__(self, module: _Module) -> None:
        super().__init__()
        self.module = module

    def get(self, key: object, default: object = None) -> Any:
        found = self.module.local(str(key))
        return default if isinstance(found, Unknown) else found


class _Any(Open):
    """A data source whose name is irrelevant."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(key, self if key not in ("names", "name", "id", "region") else default)


def _instances(resources: list[Resource]) -> Any:
    """A resource in expressions: a list if it has ``count``, a mapping if it has ``for_each``."""
    values = [Open({**r.values, "id": r.address}) for r in resources]
    if resources and isinstance(resources[0].index, int):
        return values
    if resources and isinstance(resources[0].index, str):
        return Open({str(r.index): v for r, v in zip(resources, values, strict=True)})
    return values[0] if values else UNKNOWN


# --- reading --------------------------------------------------------------------------------


def read_hcl(paths: Sequence[str]) -> tuple[SourceNotes, list[Resource]]:
    """Read the resources in .tf files and folders, with notes.

    Raises
    ------
    MissingExtra
        python-hcl2 is not installed.
    SpecError
        A file cannot be read or parsed.
    """
    files = [f for p in paths for f in _files(p)]
    module = _Module(SourceNotes(", ".join(dict.fromkeys(map(file_name, paths)))))
    for path in files:
        _take(module, path)
    module.region = module.region or _stated_region(module)
    module.said.say("", ".tf text is evaluated as far as possible: `terraform show -json` of a plan is more complete")
    return module.said, list(_resources(module))


def _stated_region(module: _Module) -> str | None:
    """Region from the default of a variable or a local with a name for the region."""
    for name in ("region", "aws_region"):
        value = module.local(name) if name in module.locals else None
        if value is None and name in module.variables:
            value = module.variable(name)
        if isinstance(value, str):
            return value
    return None


def _files(path: str) -> list[str]:
    if not Path(path).is_dir():
        return [path]
    found = sorted(str(p) for p in Path(path).iterdir() if p.suffix in (".tf", ".tfvars") and p.is_file())
    if not found:
        raise SpecError(f"{path}: has no .tf file")
    return found


def _take(module: _Module, path: str) -> None:
    parsed = _parsed(path)
    if path.endswith(".tfvars"):
        module.variables |= {unquoted(k): v for k, v in parsed.items() if not k.startswith("__")}
        return
    for block in items(parsed.get("variable")):
        for name, body in mapping(block).items():
            if "default" in mapping(body):
                module.variables.setdefault(unquoted(name), body["default"])
    for block in items(parsed.get("locals")):
        module.locals |= {k: v for k, v in mapping(block).items() if k != "__is_block__"}
    for block in items(parsed.get("resource")):
        for kind, named in mapping(block).items():
            bodies = ((n, b) for n, b in mapping(named).items() if isinstance(b, dict))
            module.resources += [(unquoted(kind), unquoted(n), b) for n, b in bodies]
    for block in items(parsed.get("module")):
        module.calls |= {unquoted(n): b for n, b in mapping(block).items() if isinstance(b, dict)}
    for block in items(parsed.get("provider")):
        region = module.value(mapping(mapping(block).get('"aws"') or mapping(block).get("aws")).get("region"))
        module.region = module.region or (region if isinstance(region, str) else None)


def _parsed(path: str) -> dict[str, Any]:
    try:
        import hcl2
    except ImportError:
        raise MissingExtra(
            ".tf text requires python-hcl2: pip install 'eks-pod-capacity[terraform]' (or give `terraform show -json`)"
        ) from None
    name = file_name(path)
    text = decode(read_data(path), name)
    try:
        parsed: dict[str, Any] = hcl2.loads(text + "\n")
    except RecursionError:
        raise SpecError(f"{name}: nested too deeply") from None
    except Exception as error:  # the errors of lark are not part of the interface of hcl2
        line = getattr(error, "line", None)
        place = f"{name}:{line}" if isinstance(line, int) and line > 0 else name
        raise SpecError(f"{place}: is not valid HCL") from None
    return parsed


# --- resources ------------------------------------------------------------------------------


def _resources(module: _Module) -> Iterator[Resource]:
    """Read resources and the two modules, in an order that lets later ones refer to earlier ones."""
    for name, call in module.calls.items():
        source = str(module.value(call.get("source")))
        if "vpc" in source and "//" not in source and "endpoints" not in source:
            yield from _vpc_module(module, name, module.value(call))
    order = {"aws_vpc": 0, "aws_subnet": 1, "aws_launch_template": 2}
    for kind, name, body in sorted(module.resources, key=lambda r: order.get(r[0], 3)):
        instances = list(_expanded(module, kind, name, body))
        module.made[f"{kind}.{name}"] = instances
        module.learnt()
        yield from instances
    for name, call in module.calls.items():
        source = str(module.value(call.get("source")))
        values = module.value(call)
        if "eks" in source and "managed-node-group" in source:
            yield from _group_module(module, name, values, "self-managed" in source)
        elif "eks" in source and "//" not in source and not source.startswith((".", "/")):
            yield from _eks_module(module, name, values)
        elif source.startswith("."):
            module.said.say(f"module.{name}", f"{source} is not evaluated: use `terraform show -json` of a plan")


def _expanded(module: _Module, kind: str, name: str, body: Any) -> Iterator[Resource]:
    """Instances of a resource by ``count`` or ``for_each``."""
    address = f"{kind}.{name}"
    keys: list[tuple[Any, dict[str, Any]]] = [(None, {})]
    if "count" in body:
        count = module.value(body["count"])
        if isinstance(count, bool) or not isinstance(count, int):
            module.said.say(address, "its count is not known: assumed 1")
            count = 1
        _say_cut(module, address, count)
        keys = [(i, {"count": {"index": i}}) for i in range(min(count, MOST_INSTANCES))]
    elif "for_each" in body:
        over = module.value(body["for_each"])
        pairs = over.items() if isinstance(over, dict) else ((v, v) for v in over) if isinstance(over, list) else None
        if pairs is None:
            module.said.say(address, "its for_each is not known: assumed one")
        else:
            listed = list(pairs)
            _say_cut(module, address, len(listed))
            keys = [(str(k), {"each": {"key": k, "value": v}}) for k, v in listed[:MOST_INSTANCES]]
    for index, scope in keys:
        suffix = "" if index is None else f"[{index}]" if isinstance(index, int) else f'["{index}"]'
        values = known_parts(module.value({k: v for k, v in body.items() if k not in ("count", "for_each")}, scope))
        if kind in ("aws_subnet", "aws_vpc", "aws_launch_template"):
            values = {**values, "id": f"{address}{suffix}"}
        yield Resource(f"{address}{suffix}", kind, name, (), index, values, _given(body, values))


def _say_cut(module: _Module, address: str, count: int) -> None:
    if count > MOST_INSTANCES:
        module.said.say(address, f"the first {MOST_INSTANCES:,} of {count:,} are read")


def _given(body: Any, values: Any) -> dict[str, Any]:
    """Attributes that are set but whose value is not known."""
    return {k: "given" for k in mapping(body) if body[k] and not mapping(values).get(unquoted(k))}


def _made(kind: str, name: str, values: dict[str, Any], module: str, index: object = None) -> Resource:
    return Resource(f"module.{module}.{kind}.{name}", kind, name, (module,), index, known_parts(values))


def _vpc_module(module: _Module, name: str, given: dict[str, Any]) -> Iterator[Resource]:
    """Read the module terraform-aws-vpc: the VPC, its subnets per zone, its NAT gateways."""
    if bool_of(given.get("create_vpc")) is False:
        return
    vpc = f"module.{name}.vpc_id"
    outputs: dict[str, Any] = {"vpc_id": vpc}
    yield _made("aws_vpc", "this", {"cidr_block": given.get("cidr", UNKNOWN), "id": vpc}, name)
    for i, block in enumerate(items(given.get("secondary_cidr_blocks"))):
        yield _made("aws_vpc_ipv4_cidr_block_association", f"this{i}", {"cidr_block": block, "vpc_id": vpc}, name)
    zones = items(given.get("azs"))
    for kind in ("private", "public", "intra", "database", "elasticache", "redshift"):
        blocks = given.get(f"{kind}_subnets")
        if isinstance(blocks, Unknown):
            module.said.say(f"module.{name}.{kind}_subnets", "not known", "vpc.subnets")
        _say_cut(module, f"module.{name}.{kind}_subnets", len(items(blocks)))
        ids = []
        for i, block in enumerate(items(blocks)[:MOST_INSTANCES]):
            zone = zones[i % len(zones)] if zones else UNKNOWN
            label = f"{kind}-{zone}" if isinstance(zone, str) else f"{kind}-{i + 1}"
            identity = f"module.{name}.{kind}_subnets[{i}]"
            ids.append(identity)
            values = {"cidr_block": block, "availability_zone": zone, "vpc_id": vpc, "id": identity}
            values["tags"] = {"Name": label}
            yield _made("aws_subnet", f"{kind}{i}", values, name, i)
        outputs[f"{kind}_subnets"] = ids
    module.outputs[name] = outputs
    module.learnt()
    yield from _nat_gateways(given, outputs, name)


def _nat_gateways(given: dict[str, Any], outputs: dict[str, Any], name: str) -> Iterator[Resource]:
    public = outputs["public_subnets"]
    if bool_of(given.get("enable_nat_gateway")) and public:
        single = bool_of(given.get("single_nat_gateway"))
        for i, subnet in enumerate(public[:1] if single else public):
            yield _made("aws_nat_gateway", f"this{i}", {"subnet_id": subnet, "tags": {"Name": f"nat-{i + 1}"}}, name)


def _eks_module(module: _Module, name: str, given: dict[str, Any]) -> Iterator[Resource]:
    """Read the module terraform-aws-eks: the cluster, its CNI add-on, its node groups with the module's defaults."""
    if bool_of(given.get("create")) is False:
        return
    subnets = given.get("subnet_ids", UNKNOWN)
    cluster = first_known(given, "name", "cluster_name")
    control = given.get("control_plane_subnet_ids")
    network = {
        "service_ipv4_cidr": first_known(given, "service_ipv4_cidr", "cluster_service_ipv4_cidr"),
        "ip_family": first_known(given, "ip_family", "cluster_ip_family"),
    }
    values = {
        "name": cluster,
        "version": first_known(given, "kubernetes_version", "cluster_version"),
        "vpc_config": [{"subnet_ids": control if items(control) else subnets}],
        "kubernetes_network_config": [network],
    }
    yield _made("aws_eks_cluster", "this", values, name)
    addon = mapping(mapping(first_known(given, "addons", "cluster_addons")).get("vpc-cni"))
    if addon:
        version = addon.get("addon_version", UNKNOWN)
        settings = {"addon_name": "vpc-cni", "configuration_values": addon.get("configuration_values", UNKNOWN)}
        yield _made("aws_eks_addon", "vpc-cni", {**settings, "addon_version": version}, name)
    for key, self_managed in (("eks_managed_node_groups", False), ("self_managed_node_groups", True)):
        groups = given.get(key)
        if isinstance(groups, Unknown):
            module.said.say(f"module.{name}.{key}", "not known", "nodeGroups")
        defaults = mapping(given.get(f"{key[:-1]}_defaults")) or mapping(given.get(f"{key}_defaults"))
        for group_name, group in mapping(groups).items():
            merged = {"subnet_ids": subnets, "name": group_name, **defaults, **mapping(group)}
            yield from _group_module(module, f"{name}.{group_name}", merged, self_managed)
    for profile in mapping(given.get("fargate_profiles")):
        yield _made("aws_eks_fargate_profile", str(profile), {}, name)


def first_known(given: dict[str, Any], *names: str) -> Any:
    """Input under its newer or older name."""
    return next((given[n] for n in names if n in given and not isinstance(given[n], Unknown)), UNKNOWN)


def _group_module(module: _Module, name: str, given: dict[str, Any], self_managed: bool) -> Iterator[Resource]:
    """Read a node group of terraform-aws-eks; missing sizes are the defaults of the module."""
    if bool_of(given.get("create")) is False:
        return
    sizes = {k: given.get(k, default) for k, default in MODULE_GROUP_SIZES.items()}
    if any(k not in given for k in MODULE_GROUP_SIZES):
        module.said.say(f"module.{name}", "missing sizes are the defaults of the module: min 1, max 3, desired 1")
    label = given.get("name", UNKNOWN)
    common = {"tags": [{"key": "kubernetes.io/cluster/this"}], "name": label}
    if self_managed:
        overrides = mapping((items(given.get("mixed_instances_policy")) or [given.get("mixed_instances_policy")])[0])
        values = {
            **common,
            "min_size": sizes["min_size"],
            "max_size": sizes["max_size"],
            "desired_capacity": sizes["desired_size"],
            "vpc_zone_identifier": given.get("subnet_ids", UNKNOWN),
            "mixed_instances_policy": [{"launch_template": [{"override": items(overrides.get("override"))}]}],
        }
        if not items(overrides.get("override")) and isinstance(given.get("instance_type"), str):
            override = [{"instance_type": given["instance_type"]}]
            values["mixed_instances_policy"] = [{"launch_template": [{"override": override}]}]
        yield _made("aws_autoscaling_group", name.rpartition(".")[2], values, name)
        return
    values = {
        "node_group_name": label,
        "scaling_config": [sizes],
        "instance_types": given.get("instance_types", UNKNOWN),
        "ami_type": given.get("ami_type", UNKNOWN),
        "subnet_ids": given.get("subnet_ids", UNKNOWN),
        "labels": given.get("labels", UNKNOWN),
        "update_config": [given.get("update_config", UNKNOWN)],
    }
    yield _made("aws_eks_node_group", name.rpartition(".")[2], values, name)
