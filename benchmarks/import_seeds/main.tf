terraform {
  required_providers { aws = { source = "hashicorp/aws" } }
}
provider "aws" { region = var.region }
variable "region" { default = "eu-west-1" }
variable "sizes" {
  type    = map(number)
  default = { min = 1, max = 6 }
}
locals {
  name  = "shop-${var.region}"
  zones = slice(data.aws_availability_zones.all.names, 0, 2)
  cidrs = [for i in range(2) : cidrsubnet(aws_vpc.main.cidr_block, 4, i)]
  big   = var.sizes.max > 3 ? "m5.xlarge" : "m5.large"
}
data "aws_availability_zones" "all" {}
resource "aws_vpc" "main" { cidr_block = "10.0.0.0/16" }
resource "aws_subnet" "nodes" {
  count             = 2
  vpc_id            = aws_vpc.main.id
  cidr_block        = local.cidrs[count.index]
  availability_zone = element(local.zones, count.index)
  tags = merge({ Name = format("nodes-%d", count.index) }, { "kubernetes.io/role/cni" = "1" })
}
resource "aws_subnet" "pods" {
  for_each          = { a = "100.64.0.0/18", b = "100.64.64.0/18" }
  vpc_id            = aws_vpc.main.id
  cidr_block        = each.value
  availability_zone = "eu-west-1${each.key}"
}
resource "aws_ec2_subnet_cidr_reservation" "nodes" {
  count            = 2
  subnet_id        = aws_subnet.nodes[count.index].id
  cidr_block       = cidrsubnet(local.cidrs[count.index], 2, 1)
  reservation_type = "prefix"
}
resource "aws_eks_cluster" "this" {
  name    = local.name
  version = "1.33"
  vpc_config { subnet_ids = aws_subnet.nodes[*].id }
  kubernetes_network_config { ip_family = "ipv4" }
}
resource "aws_eks_node_group" "web" {
  cluster_name    = aws_eks_cluster.this.name
  node_group_name = "web"
  subnet_ids      = [for s in aws_subnet.nodes : s.id]
  instance_types  = [local.big, lookup({ a = "m5a.large" }, "a", "x")]
  ami_type        = "AL2023_x86_64_STANDARD"
  scaling_config {
    min_size     = var.sizes["min"]
    max_size     = var.sizes.max
    desired_size = max(1, 2, length(local.zones))
  }
  update_config { max_unavailable_percentage = 33 }
  labels = { pool = "web" }
  taint {
    key    = "a"
    value  = "b"
    effect = "NO_SCHEDULE"
  }
  launch_template {
    id      = aws_launch_template.web.id
    version = "$Latest"
  }
}
resource "aws_launch_template" "web" {
  instance_type = "m5.large"
  user_data     = base64encode(<<-EOT
    /etc/eks/bootstrap.sh ${local.name} --kubelet-extra-args '--max-pods=58'
  EOT
  )
}
resource "aws_eks_addon" "cni" {
  cluster_name         = aws_eks_cluster.this.name
  addon_name           = "vpc-cni"
  addon_version        = "v1.19.0-eksbuild.1"
  configuration_values = jsonencode({ env = { ENABLE_PREFIX_DELEGATION = "true" } })
}
resource "aws_nat_gateway" "n" { subnet_id = aws_subnet.nodes[0].id }
resource "aws_lb" "web" {
  name               = "web"
  load_balancer_type = "application"
  subnets            = aws_subnet.nodes.*.id
}
module "vpc" {
  source          = "terraform-aws-modules/vpc/aws"
  version         = "~> 6.0"
  name            = "other"
  cidr            = "10.4.0.0/16"
  azs             = ["eu-west-1a", "eu-west-1b"]
  private_subnets = ["10.4.0.0/20", "10.4.16.0/20"]
  public_subnets  = [for k, v in ["a", "b"] : cidrsubnet("10.4.0.0/16", 8, k + 48)]
  enable_nat_gateway = true
  single_nat_gateway = true
}
module "eks" {
  source     = "terraform-aws-modules/eks/aws"
  name       = "other"
  subnet_ids = module.vpc.private_subnets
  vpc_id     = module.vpc.vpc_id
  addons     = { vpc-cni = { before_compute = true, configuration_values = jsonencode({ env = { WARM_IP_TARGET = "2" } }) } }
  eks_managed_node_groups = {
    a = { instance_types = ["m5.large"], min_size = 1, max_size = 3, desired_size = 2, ami_type = "BOTTLEROCKET_x86_64" }
  }
  self_managed_node_groups = { b = { instance_type = "c5.large", max_size = 2 } }
  fargate_profiles         = { f = { selectors = [{ namespace = "x" }] } }
}
