"""Gives each Dask worker, also one that joins later, the sender's data once."""

from __future__ import annotations

from typing import Any

from distributed import WorkerPlugin

from capacity.fleet.shipped import Shipment, install


class UseData(WorkerPlugin):  # type: ignore[misc]  # Dask has no types
    """Installs a shipment when a worker starts."""

    def __init__(self, shipment: Shipment) -> None:
        self.shipment = shipment

    def setup(self, worker: Any) -> None:  # noqa: ARG002 (Dask's signature)
        install(self.shipment)
