provider "aws" {
  region = "eu-west-1"
}

locals {
  cidr = "10.40.0.0/16"
  azs  = slice(data.aws_availability_zones.available.names, 0, 3)
}

data "aws_availability_zones" "available" {}

module "vpc" {
  source          = "terraform-aws-modules/vpc/aws"
  cidr            = local.cidr
  azs             = local.azs
  private_subnets = [for k, v in local.azs : cidrsubnet(local.cidr, 4, k)]
}

module "eks" {
  source             = "terraform-aws-modules/eks/aws"
  name               = "bookshop"
  kubernetes_version = "1.34"
  subnet_ids         = module.vpc.private_subnets

  addons = {
    vpc-cni = { configuration_values = jsonencode({ env = { WARM_IP_TARGET = "5", MINIMUM_IP_TARGET = "10" } }) }
  }
  eks_managed_node_groups = {
    general = {
      instance_types = ["m6i.large"]
      min_size       = 2
      max_size       = 6
      desired_size   = 3
    }
  }
}
