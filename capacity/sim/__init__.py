"""Plays a node's address pool over time, with the VPC CNI's own algorithm; :func:`replay` is the way in."""

from capacity.sim.node_replay import replay

__all__ = ["replay"]
