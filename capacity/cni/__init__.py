"""Computes the ENIs, secondary IPs and prefixes that a CNI attaches for the pods on a node. No clock."""
