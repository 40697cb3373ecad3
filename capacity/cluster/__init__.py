"""Workloads onto nodes, nodes into zones, addresses into the ledger: the scenarios of a plan."""
