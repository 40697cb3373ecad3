"""How the VPC CNI turns pods on a node into ENIs, secondary IPs and prefixes. No clock."""
