"""Terraform's configuration: what it states is in the plan, or a note names it as not read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from capacity.errors import SpecError
from capacity.readers.draft import PlanDraft
from capacity.readers.terraform.module_source import major_of, module_source
from capacity.readers.terraform.source import parse_terraform, read
from capacity.readers.terraform.source_blocks import Inputs, heredoc
from tests.cli.entry import capacity

VPC = """
module "vpc" {
  source          = "terraform-aws-modules/vpc/aws"
  cidr            = "10.7.0.0/16"
  azs             = ["eu-west-1a", "eu-west-1b"]
  private_subnets = ["10.7.0.0/20", "10.7.16.0/20"]
  %s
}
"""
EKS = """
module "eks" {
  source     = "terraform-aws-modules/eks/aws"
  subnet_ids = ["subnet-0aaaaaaaaaaaaaaa1"]
  %s
}
"""


def drafted(folder: Path, *, inputs: Inputs | None = None, **files: str) -> PlanDraft:
    """Draft of a folder with the files."""
    write(folder, files)
    return read([str(folder)], inputs)


def write(folder: Path, files: dict[str, str]) -> None:
    """Write files; ``__`` in a name is a dot, ``_in_`` a folder."""
    for name, text in files.items():
        path = folder / name.replace("_in_", "/").replace("__", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def told(draft: PlanDraft, part: str) -> list[str]:
    return [n.text for n in draft.notes if part in n.text]


# --- files and variables ----------------------------------------------------------------------

SIZED = """
variable "max" { default = 2 }
resource "aws_eks_node_group" "g" {
  scaling_config {
    max_size = var.max
  }
}
"""


class TestFiles:
    def test_an_empty_file_is_no_error(self, tmp_path: Path) -> None:
        assert drafted(tmp_path, main__tf=SIZED, outputs__tf="", versions__tf="\n").node_groups[0].max_nodes == 2

    def test_only_terraforms_own_values_are_taken(self, tmp_path: Path) -> None:
        draft = drafted(tmp_path, main__tf=SIZED, dev__tfvars="max = 3", prod__tfvars="max = 50")
        assert draft.node_groups[0].max_nodes == 2
        assert len(told(draft, "not read: dev.tfvars, prod.tfvars")) == 1

    def test_the_order_of_values_is_terraforms(self, tmp_path: Path) -> None:
        write(tmp_path, {"main__tf": SIZED, "terraform__tfvars": "max = 4"})
        folder, more = str(tmp_path), (str(tmp_path / "x.tfvars.json"),)
        assert read([folder]).node_groups[0].max_nodes == 4
        others = {"z__auto__tfvars": "max = 6", "a__auto__tfvars": "max = 5", "x__tfvars__json": '{"max": 8}'}
        write(tmp_path, others)
        assert read([folder]).node_groups[0].max_nodes == 6
        assert read([folder], Inputs(var_files=more)).node_groups[0].max_nodes == 8
        assert read([folder], Inputs(("max=9",), more)).node_groups[0].max_nodes == 9

    def test_a_variable_that_is_not_declared_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(SpecError, match=r"--var 'maxx': no variable of this name is declared \(did you mean 'max'"):
            drafted(tmp_path, main__tf=SIZED, inputs=Inputs(("maxx=9",)))
        with pytest.raises(SpecError, match="expected NAME=VALUE"):
            drafted(tmp_path, main__tf=SIZED, inputs=Inputs(("max",)))

    def test_json_syntax_is_the_same_as_text(self, tmp_path: Path) -> None:
        document = {
            "//": "written by a tool",
            "variable": {"second": {"default": "10.7.1.0/24"}},
            "resource": {
                "aws_vpc": {"v": {"cidr_block": "10.7.0.0/16"}},
                "aws_subnet": {
                    "a": {"vpc_id": "${aws_vpc.v.id}", "cidr_block": "${cidrsubnet(aws_vpc.v.cidr_block, 8, 0)}"},
                    "b": [{"vpc_id": "${aws_vpc.v.id}", "cidr_block": "${var.second}"}],
                },
            },
        }
        draft = drafted(tmp_path, main__tf__json=json.dumps(document))
        assert [(s.name, str(s.cidr)) for s in draft.subnets] == [("a", "10.7.0.0/24"), ("b", "10.7.1.0/24")]
        assert parse_terraform(document, "main.tf.json").subnets == draft.subnets

    def test_the_command_has_the_options_of_terraform(self, tmp_path: Path) -> None:
        (tmp_path / "main.tf").write_text(SIZED)
        (tmp_path / "prod.tfvars").write_text("max = 50")
        done = capacity("import", "terraform", str(tmp_path), "--var-file", str(tmp_path / "prod.tfvars"))
        assert "max: 50" in done.stdout
        assert "max: 7" in capacity("import", "terraform", str(tmp_path), "--var", "max=7").stdout
        done = capacity("import", "terraform", str(tmp_path), "--vpc", "vpc-1")
        assert (done.code, done.stderr.count("\n")) == (2, 1)


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        ("number", '"3"', 3),
        ("string", "3", "3"),
        ("bool", '"true"', True),
        ("list(number)", '["1", "2"]', [1, 2]),
        ("set(string)", '["b", "a", "b"]', ["a", "b"]),
        ("map(string)", "{ a = 1 }", {"a": "1"}),
        ("object({ a = optional(number, 5), b = string })", "{ b = 1, c = 2 }", {"a": 5, "b": "1"}),
        ("list(object({ a = optional(list(string)) }))", "[{}]", [{"a": None}]),
        ("any", '["1", 2]', ["1", 2]),
    ],
)
def test_a_value_has_the_type_of_its_variable(tmp_path: Path, kind: str, given: str, expected: Any) -> None:
    main = (
        f'variable "x" {{\n type = {kind}\n default = {given}\n}}\nresource "aws_eks_cluster" "c" {{ value = var.x }}\n'
    )
    (tmp_path / "main.tf").write_text(main)
    from capacity.readers.terraform.hcl import read_hcl

    (cluster,) = read_hcl([str(tmp_path)]).resources
    assert cluster.value("value") == expected or cluster.values["value"] == expected


def test_heredocs_are_templates_without_escapes() -> None:
    assert heredoc('"<<-YAML\n    a: 1\n      b: "x"\n  YAML"') == 'a: 1\n  b: "x"\n'
    assert heredoc('"<<EOT\n  a\nEOT"') == "  a\n"
    assert heredoc('"plain"') is None


# --- modules ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "name", "part", "ref"),
    [
        ("terraform-aws-modules/eks/aws", "terraform-aws-modules/eks/aws", "", ""),
        ("registry.terraform.io/terraform-aws-modules/eks/aws", "terraform-aws-modules/eks/aws", "", ""),
        (
            "terraform-aws-modules/vpc/aws//modules/vpc-endpoints",
            "terraform-aws-modules/vpc/aws",
            "modules/vpc-endpoints",
            "",
        ),
        (
            "git::https://github.com/terraform-aws-modules/terraform-aws-eks.git//modules/karpenter?ref=v20.8.5&depth=1",
            "terraform-aws-modules/eks/aws",
            "modules/karpenter",
            "v20.8.5",
        ),
        (
            "github.com/terraform-aws-modules/terraform-aws-vpc?ref=v5.8.1",
            "terraform-aws-modules/vpc/aws",
            "",
            "v5.8.1",
        ),
        ("git@github.com:terraform-aws-modules/terraform-aws-vpc.git", "terraform-aws-modules/vpc/aws", "", ""),
        (
            "git::ssh://git@github.com/terraform-aws-modules/terraform-aws-vpc.git",
            "terraform-aws-modules/vpc/aws",
            "",
            "",
        ),
        ("app.terraform.io/acme/eks/aws", "", "", ""),
        ("acme/eks-cluster/aws", "acme/eks-cluster/aws", "", ""),
        ("s3::https://s3.amazonaws.com/bucket/vpc.zip", "", "", ""),
    ],
)
def test_a_module_is_known_by_its_source(source: str, name: str, part: str, ref: str) -> None:
    found = module_source(source)
    assert (found.name, found.part, found.ref, found.local) == (name, part, ref, False)


def test_a_folder_is_a_local_source() -> None:
    assert module_source("./modules/vpc").local
    assert module_source("../..").local


@pytest.mark.parametrize(
    ("text", "major"),
    [
        ("~> 20.8", 20),
        ("= 19.1.0", 19),
        ("v18.31.2", 18),
        (">= 19.0", None),
        ("~> 20", None),
        ("", None),
        ("main", None),
    ],
)
def test_the_major_version_that_a_constraint_fixes(text: str, major: int | None) -> None:
    assert major_of(text) == major


class TestModules:
    def test_another_module_with_eks_in_its_name_makes_no_cluster(self, tmp_path: Path) -> None:
        addons = (
            'module "a" {\n source = "aws-ia/eks-blueprints-addons/aws"\n cluster_name = module.eks.cluster_name\n}\n'
        )
        draft = drafted(tmp_path, addons__tf=addons, main__tf=EKS % 'name = "shop"\n kubernetes_version = "1.33"')
        assert (draft.name, draft.kubernetes_version, draft.control_plane) == (
            "shop",
            "1.33",
            ("subnet-0aaaaaaaaaaaaaaa1",),
        )
        assert not told(draft, "clusters")

    def test_add_ons_of_the_blueprints_are_read(self, tmp_path: Path) -> None:
        env = 'jsonencode({ env = { ENABLE_PREFIX_DELEGATION = "true" } })'
        addons = (
            'module "a" {\n source = "aws-ia/eks-blueprints-addons/aws"\n enable_karpenter = true\n'
            f" eks_addons = {{ vpc-cni = {{ configuration_values = {env} }} }}\n}}\n"
        )
        draft = drafted(tmp_path, main__tf=EKS % "" + addons)
        assert draft.env == {"ENABLE_PREFIX_DELEGATION": "true"}
        assert len(told(draft, "1 Helm release not in the plan (module.a karpenter)")) == 1

    def test_interface_endpoints_of_the_submodule(self, tmp_path: Path) -> None:
        endpoints = """
module "endpoints" {
  source     = "terraform-aws-modules/vpc/aws//modules/vpc-endpoints"
  subnet_ids = [module.vpc.private_subnets[0]]
  endpoints = {
    sts  = { service = "sts", subnet_ids = module.vpc.private_subnets }
    logs = { service = "logs" }
    s3   = { service = "s3", service_type = "Gateway" }
    off  = { service = "ec2", create = false }
  }
}
"""
        draft = drafted(tmp_path, main__tf=VPC % "" + endpoints)
        assert [(t.name, t.kind, t.subnets) for t in draft.tenants] == [
            ("endpoint-logs", "vpcEndpoint", ("private-eu-west-1a",)),
            ("endpoint-sts", "vpcEndpoint", ("private-eu-west-1a", "private-eu-west-1b")),
        ]

    @pytest.mark.parametrize(
        ("more", "count"),
        [
            ("enable_nat_gateway = true", 2),
            ("enable_nat_gateway = true\n single_nat_gateway = true", 1),
            ('enable_nat_gateway = true\n database_subnets = ["10.7.40.0/24", "10.7.41.0/24", "10.7.42.0/24"]', 3),
            ("", 0),
        ],
    )
    def test_nat_gateways_are_as_many_as_the_module_makes(self, tmp_path: Path, more: str, count: int) -> None:
        draft = drafted(tmp_path, main__tf=VPC % ('public_subnets = ["10.7.32.0/24"]\n ' + more))
        assert [t.subnets[0] for t in draft.tenants if t.kind == "natGateway"] == ["public-eu-west-1a"] * count

    @pytest.mark.parametrize(
        ("version", "names", "percent", "ami"),
        [
            ("~> 18.0", "cluster_", None, "al2"),
            ("~> 19.0", "cluster_", "33%", "al2"),
            ("~> 20.8", "cluster_", "33%", "al2"),
            ("~> 21.0", "", "33%", "al2023"),
            (">= 19.0", "", "33%", "al2023"),
            (">= 19.0", "cluster_", "33%", "al2"),
        ],
    )
    def test_the_defaults_of_a_group_are_those_of_the_version(
        self, tmp_path: Path, version: str, names: str, percent: str | None, ami: str
    ) -> None:
        key = f"{names}version" if names else "kubernetes_version"
        more = f'version = "{version}"\n {names}name = "shop"\n {key} = "1.29"\n'
        more += 'eks_managed_node_groups = { app = { instance_types = ["m6i.large"] } }\n'
        more += "self_managed_node_groups = { own = {} }"
        app, own = drafted(tmp_path, main__tf=EKS % more).node_groups
        assert (app.min_nodes, app.desired, app.max_nodes, app.max_unavailable, app.ami) == (1, 1, 3, percent, ami)
        assert (own.min_nodes, own.instance_types, own.ami) == (0, ("m6i.large",), ami)

    def test_node_groups_of_version_17_are_told(self, tmp_path: Path) -> None:
        draft = drafted(tmp_path, main__tf=EKS % "node_groups = { a = { max_capacity = 9 } }")
        assert len(told(draft, "module.eks.node_groups: an input of version 17 or older")) == 1

    @pytest.mark.parametrize(
        ("group", "pods"),
        [
            ('cloudinit_pre_nodeadm = [{ content = "kubelet: {config: {maxPods: 110}}" }]', 110),
            ("pre_bootstrap_user_data = <<-EOT\n    export KUBELET_EXTRA_ARGS='--max-pods=58'\n  EOT\n", 58),
            ('ami_type = "BOTTLEROCKET_x86_64"\n bootstrap_extra_args = "max-pods = 42"', 42),
            ("bootstrap_extra_args = \"--kubelet-extra-args '--max-pods=20'\"", None),  # of an own image only
            (
                'ami_id = "ami-1"\n enable_bootstrap_user_data = true\n'
                " bootstrap_extra_args = \"--kubelet-extra-args '--max-pods=20'\"",
                20,
            ),
        ],
    )
    def test_max_pods_in_the_boot_text_of_a_group(self, tmp_path: Path, group: str, pods: int | None) -> None:
        draft = drafted(tmp_path, main__tf=EKS % f"eks_managed_node_groups = {{\n app = {{\n {group}\n }}\n }}")
        assert draft.node_groups[0].max_pods == pods

    @pytest.mark.parametrize("key", ["compute_config", "cluster_compute_config"])
    def test_auto_mode_of_the_module_is_told(self, tmp_path: Path, key: str) -> None:
        assert len(told(drafted(tmp_path, main__tf=EKS % f"{key} = {{ enabled = true }}"), "EKS Auto Mode")) == 1

    @pytest.mark.parametrize(("more", "addresses"), [("", None), ("enable_efa_only = false", 31 * 2)])
    def test_efa_interfaces_hold_addresses_if_they_are_not_efa_only(
        self, tmp_path: Path, more: str, addresses: int | None
    ) -> None:
        group = f'instance_types = ["p5.48xlarge"]\n max_size = 2\n enable_efa_support = true\n {more}'
        draft = drafted(tmp_path, main__tf=EKS % f"eks_managed_node_groups = {{\n gpu = {{\n {group}\n }}\n }}")
        assert [t.addresses for t in draft.tenants] == ([] if addresses is None else [addresses])

    def test_modules_in_the_folder_are_read(self, tmp_path: Path) -> None:
        main = """
variable "groups" { default = { a = 3, b = 7 } }
module "net" { source = "./modules/net" }
module "groups" {
  source   = "./modules/group"
  for_each = var.groups
  subnets  = module.net.ids
  max      = each.value
}
module "off" {
  source = "./modules/group"
  count  = 0
}
"""
        net = 'resource "aws_subnet" "s" {\n count = 2\n cidr_block = cidrsubnet("10.7.0.0/16", 8, count.index)\n}\n'
        group = """
variable "subnets" { type = list(string) }
variable "max" { type = number }
resource "aws_eks_node_group" "g" {
  subnet_ids = var.subnets
  dynamic "scaling_config" {
    for_each = [var.max]
    content { max_size = scaling_config.value }
  }
}
"""
        draft = drafted(
            tmp_path,
            main__tf=main,
            modules_in_net_in_main__tf=net + 'output "ids" { value = aws_subnet.s[*].id }\n',
            modules_in_group_in_main__tf=group,
        )
        assert len(draft.subnets) == 2
        names = tuple(s.name for s in draft.subnets)
        assert [(g.name, g.max_nodes, g.subnets) for g in draft.node_groups] == [("a", 3, names), ("b", 7, names)]

    def test_a_module_outside_the_folder_is_the_reason_of_a_refusal(self, tmp_path: Path) -> None:
        (tmp_path / "main.tf").write_text('module "vpc" { source = "../../" }\n')
        done = capacity("import", "terraform", str(tmp_path))
        first, *others = done.stderr.splitlines()
        assert done.code == 2
        assert "module.vpc: ../../ is not evaluated" in first
        assert [n.partition(": .tf text")[0] for n in others] == [f"note: {tmp_path.name}"]

    def test_other_modules_are_told_and_those_without_addresses_are_not(self, tmp_path: Path) -> None:
        main = VPC % "" + 'module "db" { source = "terraform-aws-modules/rds/aws" }\n'
        main += 'module "role" { source = "terraform-aws-modules/iam/aws//modules/iam-role" }\n'
        main += 'module "own" { source = "app.terraform.io/acme/eks/aws" }\n'
        (note,) = told(drafted(tmp_path, main__tf=main), "not in the plan")
        assert "2 module not in the plan (module.db (terraform-aws-modules/rds/aws), module.own (app." in note


# --- manifests, releases, holders -------------------------------------------------------------


class TestObjects:
    def test_manifests_are_read_as_files_are(self, tmp_path: Path) -> None:
        main = (
            VPC % ""
            + """
resource "kubectl_manifest" "eni" {
  yaml_body = yamlencode({
    apiVersion = "crd.k8s.amazonaws.com/v1alpha1", kind = "ENIConfig", metadata = { name = "eu-west-1a" }
    spec = { subnet = module.vpc.private_subnets[1] }
  })
}
resource "kubectl_manifest" "pool" {
  for_each  = toset(["spot"])
  yaml_body = templatefile("${path.module}/pool.yaml", { name = each.key })
}
resource "kubernetes_manifest" "web" {
  manifest = yamldecode(file("web.yaml"))
}
"""
        )
        pool = "apiVersion: karpenter.sh/v1\nkind: NodePool\nmetadata: {name: ${name}}\nspec: {}\n"
        web = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 4}\n"
        draft = drafted(tmp_path, main__tf=main, pool__yaml=pool, web__yaml=web)
        assert draft.pod_subnets == ("private-eu-west-1b",)
        assert [g.name for g in draft.node_groups] == ["spot"]
        assert [(w.name, w.replicas) for w in draft.workloads] == [("default/web", 4)]

    def test_a_manifest_that_is_not_known_is_told(self, tmp_path: Path) -> None:
        main = VPC % "" + 'resource "kubectl_manifest" "a" { yaml_body = data.http.x.body }\n'
        assert (
            len(told(drafted(tmp_path, main__tf=main), "1 kubectl_manifest not in the plan (kubectl_manifest.a)")) == 1
        )

    def test_files_outside_the_folder_are_not_read(self, tmp_path: Path) -> None:
        (tmp_path / "secret.yaml").write_text("kind: Deployment\napiVersion: apps/v1\nmetadata: {name: x}\n")
        main = 'resource "kubectl_manifest" "a" { yaml_body = file("../secret.yaml") }\n'
        draft = drafted(tmp_path, infra_in_main__tf=main, main__tf=VPC % "")
        assert not draft.workloads
        assert not read([str(tmp_path / "infra")]).workloads

    def test_resources_of_the_kubernetes_provider_are_workloads(self, tmp_path: Path) -> None:
        main = """
resource "kubernetes_deployment_v1" "web" {
  metadata {
    name      = "web"
    namespace = "shop"
  }
  spec {
    replicas = 40
    strategy {
      rolling_update {
        max_surge = "50%"
      }
    }
    template {
      metadata {
        labels = { app = "web" }
      }
      spec {
        host_network = true
        topology_spread_constraint {
          max_skew           = 2
          topology_key       = "topology.kubernetes.io/zone"
          when_unsatisfiable = "DoNotSchedule"
          label_selector {
            match_labels = { app = "web" }
          }
        }
        affinity {
          pod_anti_affinity {
            required_during_scheduling_ignored_during_execution {
              topology_key = "kubernetes.io/hostname"
              label_selector {
                match_labels = { app = "web" }
              }
            }
          }
        }
        container {
          name = "c"
          resources {
            requests = { cpu = "250m" }
          }
        }
      }
    }
  }
}
resource "kubernetes_horizontal_pod_autoscaler_v2" "web" {
  metadata {
    name      = "web"
    namespace = "shop"
  }
  spec {
    max_replicas = 90
    scale_target_ref {
      kind = "Deployment"
      name = "web"
    }
  }
}
"""
        (web,) = drafted(tmp_path, main__tf=main).workloads
        assert (web.name, web.replicas, web.max_replicas, web.max_surge) == ("shop/web", 40, 90, "50%")
        assert (web.cpu_millicores, web.host_network) == (250, True)
        assert (web.zone_skew, web.anti_affinity) == (2, "hostname")

    def test_the_values_of_the_cni_chart(self, tmp_path: Path) -> None:
        main = (
            VPC % ""
            + """
resource "helm_release" "cni" {
  chart  = "aws-vpc-cni"
  values = [yamlencode({ env = { WARM_IP_TARGET = "2", MINIMUM_IP_TARGET = "4" } }), file("cni.yaml")]
  set {
    name  = "env.WARM_IP_TARGET"
    value = "5"
  }
}
resource "helm_release" "metrics" { chart = "cni-metrics-helper" }
"""
        )
        draft = drafted(tmp_path, main__tf=main, cni__yaml="env: {MINIMUM_IP_TARGET: 8}\nimage: {tag: v1.19.2}\n")
        assert (draft.env, draft.cni_version) == ({"WARM_IP_TARGET": "5", "MINIMUM_IP_TARGET": "8"}, "1.19.2")
        assert len(told(draft, "1 helm_release not in the plan (helm_release.metrics)")) == 1

    def test_the_region_is_that_of_the_provider_without_an_alias(self, tmp_path: Path) -> None:
        main = 'provider "aws" {\n alias = "ecr"\n region = "us-east-1"\n}\nprovider "aws" { region = local.r }\n'
        main += 'locals { r = "eu-north-1" }\nresource "aws_vpc" "v" { cidr_block = "10.0.0.0/16" }\n'
        assert drafted(tmp_path, main__tf=main).region == "eu-north-1"

    def test_assumed_zones_are_told(self, tmp_path: Path) -> None:
        main = 'provider "aws" { region = "eu-west-1" }\ndata "aws_availability_zones" "all" {}\n'
        main += 'resource "aws_subnet" "s" {\n count = 2\n cidr_block = cidrsubnet("10.0.0.0/16", 8, count.index)\n'
        main += " availability_zone = data.aws_availability_zones.all.names[count.index]\n}\n"
        draft = drafted(tmp_path, main__tf=main)
        assert [s.zone for s in draft.subnets] == ["eu-west-1a", "eu-west-1b"]
        assert len(told(draft, "the zones of the account are not in the input: assumed eu-west-1a")) == 1


UNCLEAR = """
variable "max" {}
variable "version" {}
resource "aws_eks_cluster" "c" {
  name    = "shop"
  version = var.version
}
resource "aws_eks_node_group" "g" {
  instance_types = ["m6i.large", data.x.y.type]
  scaling_config {
    min_size     = 1
    desired_size = 1
    max_size     = var.max
  }
}
resource "aws_eks_addon" "cni" {
  addon_name           = "vpc-cni"
  configuration_values = data.x.y.values
}
"""


class TestUnclear:
    def test_a_stated_fact_that_is_not_known_is_named(self, tmp_path: Path) -> None:
        draft = drafted(tmp_path, main__tf=UNCLEAR)
        place = f"{tmp_path.name} "
        assert [n.text.removeprefix(place) for n in draft.notes if ": not known: " in n.text] == [
            "aws_eks_cluster.c: not known: version",
            "aws_eks_node_group.g: not known: scaling_config.max_size, instance_types",
            "aws_eks_addon.cni: not known: configuration_values",
        ]
        known = drafted(tmp_path, main__tf=UNCLEAR, inputs=Inputs(("max=9", "version=1.33")))
        assert (known.node_groups[0].max_nodes, known.kubernetes_version) == (9, "1.33")
        assert len(told(known, ": not known: ")) == 2

    def test_inputs_of_a_module_that_are_not_known_are_named(self, tmp_path: Path) -> None:
        more = "eks_managed_node_groups = { app = { max_size = data.x.y.max, ami_type = null } }"
        draft = drafted(tmp_path, main__tf=EKS % more)
        assert [n.text for n in draft.notes if ": not known: " in n.text] == [
            f'{tmp_path.name} module.eks.module.eks_managed_node_group["app"].aws_eks_node_group.this: not known: '
            "scaling_config.max_size"
        ]
        assert (draft.node_groups[0].max_nodes, draft.node_groups[0].ami) == (None, "al2023")

    def test_terragrunt_is_the_reason_of_a_refusal(self, tmp_path: Path) -> None:
        path = tmp_path / "terragrunt.hcl"
        path.write_text('include "root" { path = "x" }\ninputs = { cidr = "10.0.0.0/16" }\n')
        done = capacity("import", "terraform", str(path))
        assert (done.code, "is Terragrunt's: its inputs" in done.stderr.splitlines()[0]) == (2, True)


# --- plans and states -------------------------------------------------------------------------


def resource(kind: str, name: str, values: dict[str, Any], mode: str = "managed") -> dict[str, Any]:
    prefix = "data." if mode == "data" else ""
    return {"address": f"{prefix}{kind}.{name}", "mode": mode, "type": kind, "name": name, "values": values}


def state(*resources: dict[str, Any]) -> dict[str, Any]:
    return {"format_version": "1.0", "values": {"root_module": {"resources": list(resources)}}}


SUBNET = resource("aws_subnet", "s", {"id": "subnet-0a1", "cidr_block": "10.0.0.0/24"})


class TestDocuments:
    def test_subnets_are_those_of_the_vpc_whose_block_holds_them(self) -> None:
        document = state(
            resource("aws_vpc", "eks", {"cidr_block": "10.0.0.0/16"}),
            resource("aws_vpc", "web", {"cidr_block": "172.16.0.0/16", "tags": {"Name": "web"}}),
            resource("aws_subnet", "e", {"cidr_block": "10.0.0.0/24"}),
            resource("aws_subnet", "w", {"cidr_block": "172.16.1.0/24"}),
        )
        draft = parse_terraform(document, "plan.json")
        assert ([s.name for s in draft.subnets], [str(b) for b in draft.vpc_cidrs]) == (["e"], ["10.0.0.0/16"])
        assert told(draft, "the subnets of aws_vpc.web are ignored (--vpc chooses)")
        for wanted in ("web", "aws_vpc.web"):
            draft = parse_terraform(document, "plan.json", Inputs(vpc=wanted))
            assert ([s.name for s in draft.subnets], [str(b) for b in draft.vpc_cidrs]) == (["w"], ["172.16.0.0/16"])
        with pytest.raises(SpecError, match=r"--vpc 'webb': no VPC with this ID, name or address \(did you mean 'web'"):
            parse_terraform(document, "plan.json", Inputs(vpc="webb"))

    def test_the_blocks_of_a_vpc_that_is_a_data_source(self) -> None:
        states = {"10.0.0.0/16": "associated", "100.64.0.0/16": "associated", "10.9.0.0/16": "disassociated"}
        blocks = [{"cidr_block": block, "state": word} for block, word in states.items()]
        vpc = {"id": "vpc-1", "cidr_block": "10.0.0.0/16", "cidr_block_associations": blocks}
        subnet = {
            "id": "subnet-0a1",
            "vpc_id": "vpc-1",
            "cidr_block": "100.64.0.0/18",
            "available_ip_address_count": 16000,
        }
        draft = parse_terraform(
            state(resource("aws_vpc", "v", vpc, "data"), resource("aws_subnet", "s", subnet, "data"))
        )
        assert [str(b) for b in draft.vpc_cidrs] == ["10.0.0.0/16", "100.64.0.0/16"]
        assert told(draft, "379 addresses were taken when this was read")

    def test_a_network_load_balancer_with_mapped_subnets(self) -> None:
        values = {"name": "l", "load_balancer_type": "network", "subnet_mapping": [{"subnet_id": "subnet-0a1"}]}
        draft = parse_terraform(state(SUBNET, resource("aws_lb", "l", values)))
        assert [(t.name, t.kind, t.subnets) for t in draft.tenants] == [("l", "nlb", ("s",))]

    def test_other_address_holders_are_booked(self) -> None:
        own = {"subnets": ["subnet-0a1"]}
        inside = {"vpc_config": [{"subnet_ids": ["subnet-0a1"], "security_group_ids": ["sg-1"]}]}
        draft = parse_terraform(
            state(
                SUBNET,
                resource("aws_instance", "bastion", {"subnet_id": "subnet-0a1", "secondary_private_ips": ["10.0.0.7"]}),
                resource("aws_network_interface", "fw", {"subnet_id": "subnet-0a1", "private_ips": ["a", "b", "c"]}),
                resource("aws_lambda_function", "f", inside),
                resource("aws_lambda_function", "same_interfaces", inside),
                resource("aws_lambda_function", "outside", {}),
                resource("aws_ecs_service", "e", {"desired_count": 6, "network_configuration": [own]}),
                resource("aws_instance", "elsewhere", {"subnet_id": "subnet-0b2"}),
                resource("aws_rds_cluster", "db", {}),
                resource("aws_iam_role", "r", {}),
            ),
            "state.json",
        )  # fmt: skip
        assert [(t.name, t.kind, t.addresses) for t in draft.tenants] == [
            ("aws_instance.bastion", "ec2", 2),
            ("aws_network_interface.fw", "other", 3),
            ("aws_lambda_function.f", "lambda", None),
            ("aws_ecs_service.e", "other", 6),
        ]
        assert [n.text.split(":")[1].strip() for n in draft.notes if n.unread] == [
            "1 aws_instance not in the plan (aws_instance.elsewhere)",
            "1 aws_rds_cluster not in the plan (aws_rds_cluster.db)",
        ]

    @pytest.mark.parametrize(
        ("version", "values", "unknown", "ami"),
        [
            ("1.29", {}, {}, "al2"),
            ("1.30", {}, {}, None),
            ("1.29", {"ami_type": "AL2023_x86_64_STANDARD"}, {}, "al2023"),
            ("1.29", {"ami_type": "CUSTOM"}, {}, None),
            ("1.29", {}, {"ami_type": True}, None),  # a plan without configuration: it may be stated
            ("1.31", {"version": "1.29"}, {}, "al2"),
        ],
    )
    def test_the_ami_family_is_that_of_the_version(
        self, version: str, values: dict[str, Any], unknown: dict[str, Any], ami: str | None
    ) -> None:
        plan = {
            "format_version": "1.2",
            "planned_values": {
                "root_module": {
                    "resources": [
                        resource("aws_eks_cluster", "c", {"name": "c", "version": version}),
                        resource("aws_eks_node_group", "g", {"instance_types": ["m5.large"], **values}),
                    ]
                }
            },
            "resource_changes": [{"address": "aws_eks_node_group.g", "change": {"after_unknown": unknown}}],
        }
        assert [g.ami for g in parse_terraform(plan).node_groups] == [ami]

    def test_the_region_of_a_plan_is_that_of_its_provider(self) -> None:
        plan = {
            "format_version": "1.2",
            "planned_values": {"root_module": {"resources": [resource("aws_vpc", "v", {"cidr_block": "10.0.0.0/16"})]}},
            "variables": {"region": {"value": "eu-north-1"}},
            "configuration": {
                "provider_config": {"aws": {"name": "aws", "expressions": {"region": {"references": ["var.region"]}}}}
            },
        }
        assert parse_terraform(plan).region == "eu-north-1"
