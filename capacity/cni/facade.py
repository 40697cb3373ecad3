"""The names of this room that others use."""

from capacity.cni.limits import NodeLimits, without_primary
from capacity.cni.node_pool import (
    Pool,
    address_capacity,
    effective,
    node_limits,
    node_pool,
    pods_served,
    pool_of,
    slots_and_enis,
    start_calls,
)

__all__ = [
    "NodeLimits",
    "Pool",
    "address_capacity",
    "effective",
    "node_limits",
    "node_pool",
    "pods_served",
    "pool_of",
    "slots_and_enis",
    "start_calls",
    "without_primary",
]
