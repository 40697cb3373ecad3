"""The names of this room that others use."""

from capacity.cni.node_pool import (
    NodeLimits,
    Pool,
    address_capacity,
    effective,
    node_limits,
    node_pool,
    pool_of,
    slots_and_enis,
)

__all__ = [
    "NodeLimits",
    "Pool",
    "address_capacity",
    "effective",
    "node_limits",
    "node_pool",
    "pool_of",
    "slots_and_enis",
]
