"""Answers units on Dask: an existing cluster, or one on this machine. Needs the extra ``fleet``."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from capacity.errors import CapacityError, MissingExtra
from capacity.fleet.questions import answer_unit
from capacity.fleet.shipped import Shipment, pack
from capacity.fleet.unit import Row, Unit
from capacity.fleet.workforce import Answered, Numbered, one_by_one

AHEAD = 3  # units for each thread of the workers that are sent before they are needed
CONNECT_S = 10.0  # until a scheduler counts as not reachable
WORKERS_S = 30.0  # until a scheduler without workers is an error


@dataclass(frozen=True)
class Tls:
    """Files of the TLS settings of the connection to the scheduler; None for those of Dask's configuration."""

    ca: str | None = None
    cert: str | None = None
    key: str | None = None

    @property
    def given(self) -> bool:
        """Whether any file is set."""
        return any((self.ca, self.cert, self.key))


@dataclass(frozen=True)
class DaskWorkers:
    """The workers of a Dask cluster.

    Attributes
    ----------
    client : distributed.Client
    address : str
        The scheduler's, for messages.
    shipment : Shipment
    """

    client: Any
    address: str
    shipment: Shipment
    memory_bytes: int | None = None

    def run(self, units: Iterable[Numbered]) -> Iterator[Answered]:
        from distributed import as_completed

        waiting = iter(units)
        running: dict[Any, Numbered] = {}
        arriving = as_completed()
        while True:
            while len(running) < self._window() and (one := next(waiting, None)) is not None:
                future = self._submit(one[1])
                running[future] = one
                arriving.add(future)
            if not running:
                return
            future = next(arriving)
            number, unit = running.pop(future)
            rows = self._rows(future)
            yield number, self._alone(unit) if rows is None else rows

    def _window(self) -> int:
        """Units that are sent ahead: enough for every worker there is now."""
        workers = self.client.scheduler_info(n_workers=-1)["workers"].values()
        threads: int = sum(worker["nthreads"] for worker in workers)
        return max(AHEAD * threads, AHEAD)

    def _submit(self, unit: Unit) -> Any:
        return self.client.submit(answer_shipped, unit, self.shipment.base, self.memory_bytes, pure=False)

    def _rows(self, future: Any) -> list[Row] | None:
        """The rows of a future; None if its workers died.

        Raises
        ------
        CapacityError
            The scheduler is gone.
        """
        from concurrent.futures import CancelledError

        from distributed import KilledWorker
        from distributed.client import FutureCancelledError
        from distributed.comm.core import CommClosedError

        try:
            rows: list[Row] = future.result()
        except KilledWorker:
            return None
        except (CancelledError, FutureCancelledError, CommClosedError, OSError, TimeoutError) as error:
            raise self.lost() from error
        finally:
            future.release()
        return rows

    def lost(self) -> CapacityError:
        """The error for a scheduler that has gone away."""
        return CapacityError(
            f"the connection to the Dask scheduler {self.address} was lost; with --resume, the same command continues "
            "from the units that are finished"
        )

    def _alone(self, unit: Unit) -> list[Row]:
        return one_by_one(unit, lambda single: self._rows(self._submit(single)), self.memory_bytes)


def answer_shipped(unit: Unit, base: str, memory_bytes: int | None) -> list[Row]:
    """Answer a unit in a worker that has the sender's version and data.

    Raises
    ------
    CapacityError
        It has others.
    """
    from distributed import get_worker

    if pack().base != base:
        raise CapacityError("the data of a worker changed during the run; run the command again")
    alone = get_worker().state.nthreads == 1  # a limit counts for all threads of a process
    return answer_unit(unit, memory_bytes if alone else None)


@contextmanager
def dask_workers(address: str | None, jobs: int | None, tls: Tls, memory_bytes: int | None) -> Iterator[DaskWorkers]:
    """The workers of the scheduler at an address, or of a cluster on this machine that ends with the block.

    Raises
    ------
    CapacityError
        The scheduler cannot be reached or has no workers, or a worker has another version or other data.
    MissingExtra
        Dask is not installed.
    """
    try:
        import distributed
    except ImportError:
        raise MissingExtra("Dask is not installed: pip install 'eks-pod-capacity[fleet]'") from None
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what is wrong is said once, by us
    shipment = pack()
    if address is None:
        with _local_cluster(jobs) as cluster, distributed.Client(cluster) as client:
            yield _prepared(client, cluster.scheduler_address, shipment, memory_bytes)
        return
    with _connected(address, tls) as client:
        yield _prepared(client, address, shipment, memory_bytes)


@contextmanager
def _local_cluster(jobs: int | None) -> Iterator[Any]:
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=jobs,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        dashboard_address=None,
        memory_limit=0,  # each plan has its own limit
        silence_logs=logging.CRITICAL,
    ) as cluster:
        yield cluster


@contextmanager
def _connected(address: str, tls: Tls) -> Iterator[Any]:
    from distributed import Client
    from distributed.security import Security

    security = None
    if tls.given:
        files = {"tls_ca_file": tls.ca, "tls_client_cert": tls.cert, "tls_client_key": tls.key}
        security = Security(require_encryption=True, **{k: v for k, v in files.items() if v})
    try:
        client = Client(address, timeout=CONNECT_S, security=security, set_as_default=False)
    except (OSError, TimeoutError, ValueError, TypeError, RuntimeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CapacityError(f"--scheduler {address}: cannot connect to a Dask scheduler there: {reason}") from error
    try:
        yield client
    finally:
        client.close(timeout=2)


def _prepared(client: Any, address: str, shipment: Shipment, memory_bytes: int | None) -> DaskWorkers:
    """The workers with the sender's data.

    Raises
    ------
    CapacityError
        There are no workers, or one cannot use the data.
    """
    try:
        client.wait_for_workers(1, timeout=WORKERS_S)
    except TimeoutError:
        raise CapacityError(f"--scheduler {address}: the scheduler has no workers") from None
    try:
        client.register_plugin(_plugin(shipment), name=f"capacity {shipment.base}")
    except CapacityError:
        raise
    except Exception as error:  # whatever a worker raises: most of all that capacity is not installed there
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CapacityError(f"a Dask worker cannot run capacity: {reason} (install the same version there)") from error
    return DaskWorkers(client, address, shipment, memory_bytes)


def _plugin(shipment: Shipment) -> Any:
    from capacity.fleet.dask_plugin import UseData

    return UseData(shipment)
