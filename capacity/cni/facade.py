"""The names of this room that others use."""

from capacity.cni.node_limits import EniFigures, NodeLimits, without_primary
from capacity.cni.node_pool import (
    Pool,
    address_capacity,
    carried,
    effective,
    gives_prefixes,
    node_limits,
    node_pool,
    pods_served,
    pool_of,
    slots_and_enis,
    start_calls,
    starts_without_serving_eni,
)
from capacity.cni.on_node import settings_on

__all__ = [
    "EniFigures",
    "NodeLimits",
    "Pool",
    "address_capacity",
    "carried",
    "effective",
    "gives_prefixes",
    "node_limits",
    "node_pool",
    "pods_served",
    "pool_of",
    "settings_on",
    "slots_and_enis",
    "start_calls",
    "starts_without_serving_eni",
    "without_primary",
]
