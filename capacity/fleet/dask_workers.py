"""Answers units on Dask: an existing cluster, or one on this machine. Needs the extra ``fleet``."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from capacity.errors import CapacityError
from capacity.extras import named_extras
from capacity.fleet.processes import fewer_collections
from capacity.fleet.questions import answer_unit
from capacity.fleet.shipped import Shipment, pack
from capacity.fleet.unit import Row, Unit
from capacity.fleet.workforce import Answered, Numbered, one_by_one

AHEAD = 3  # units for each thread of the workers that are sent before they are needed
CONNECT_S = 10.0  # until a scheduler counts as not reachable
IDLE_BYTES = 512 << 20  # of a worker that answers nothing
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
    base : str
        Version and data that the workers must have.
    """

    client: Any
    address: str
    base: str

    def run(self, units: Iterable[Numbered]) -> Iterator[Answered]:
        from concurrent.futures import CancelledError

        from distributed.client import FutureCancelledError
        from distributed.comm.core import CommClosedError

        gone = (CancelledError, FutureCancelledError, CommClosedError, ConnectionError, TimeoutError)
        try:
            yield from self._run(units)
        except gone as error:
            raise self._lost() from error
        except Exception as error:
            if self.client.status == "running":
                raise
            raise self._lost() from error

    def _run(self, units: Iterable[Numbered]) -> Iterator[Answered]:
        from distributed import as_completed

        waiting = iter(units)
        running: dict[Any, Numbered] = {}
        arriving = as_completed(loop=self.client.loop)
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
            yield number, one_by_one(unit, self._alone) if rows is None else rows

    def _window(self) -> int:
        """Units that are sent ahead: enough for every worker there is now."""
        workers = self.client.scheduler_info(n_workers=-1)["workers"].values()
        threads: int = sum(worker["nthreads"] for worker in workers)
        return max(AHEAD * threads, AHEAD)

    def _submit(self, unit: Unit) -> Any:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Sending large graph")  # a plan can be large, and is sent once
            return self.client.submit(answer_shipped, unit, self.base, pure=False)

    def _rows(self, future: Any) -> list[Row] | None:
        """The rows of a future; None if its workers died."""
        from distributed import KilledWorker

        try:
            rows: list[Row] = future.result()
        except KilledWorker:
            return None
        finally:
            future.release()
        return rows

    def _alone(self, single: Unit) -> list[Row] | None:
        return self._rows(self._submit(single))

    def _lost(self) -> CapacityError:
        return CapacityError(
            f"the connection to the Dask scheduler {self.address} was lost; with --resume, the same command continues "
            "from the units that are finished"
        )


def answer_shipped(unit: Unit, base: str) -> list[Row]:
    """Answer a unit in a worker that has the sender's version and data.

    The worker's memory is limited by Dask: a limit of the process would also stop the threads that talk to the
    scheduler.

    Raises
    ------
    CapacityError
        It has others.
    """
    if pack().base != base:
        raise CapacityError("the data of a Dask worker changed during the run; run the command again")
    with fewer_collections():
        return answer_unit(unit)


@contextmanager
def dask_workers(address: str | None, jobs: int | None, tls: Tls, memory_bytes: int | None) -> Iterator[DaskWorkers]:
    """The workers of the scheduler at an address, or of a cluster on this machine that ends with the block.

    ``memory_bytes`` limits the workers on this machine, in addition to what an idle worker needs.

    Raises
    ------
    CapacityError
        The scheduler cannot be reached or has no workers, or a worker has another version or other data.
    MissingExtra
        Dask is not installed.
    """
    with named_extras():
        import distributed
    for name in ("distributed", *(n for n in logging.root.manager.loggerDict if n.startswith("distributed."))):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what is wrong is said once, by us
    shipment = pack()
    if address is None:
        with _local_cluster(jobs, memory_bytes) as cluster, distributed.Client(cluster) as client:
            yield _prepared(client, cluster.scheduler_address, shipment)
        return
    with _connected(address, tls) as client:
        yield _prepared(client, address, shipment)


@contextmanager
def _local_cluster(jobs: int | None, memory_bytes: int | None) -> Iterator[Any]:
    import dask
    from distributed import LocalCluster

    with (
        dask.config.set({"distributed.worker.profile.enabled": False}),
        LocalCluster(
            n_workers=jobs,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address=None,
            memory_limit=0 if memory_bytes is None else memory_bytes + IDLE_BYTES,
            silence_logs=logging.CRITICAL,
        ) as cluster,
    ):
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
        reason = _reason(address, tls, error)
        raise CapacityError(f"--scheduler {address}: cannot connect to a Dask scheduler there: {reason}") from error
    try:
        yield client
    finally:
        client.close(timeout=2)


def _reason(address: str, tls: Tls, error: Exception) -> str:
    """Why there is no connection: what to change if it is about TLS, otherwise Dask's own words."""
    said = str(error).splitlines()[0] if str(error) else type(error).__name__
    if address.startswith("tls://"):
        if "certificate does not match" in said:
            return f"its certificate is not signed by a CA in {tls.ca or 'the CA file of Dask'}, or is for another host"
        if "ssl_context" in said:
            return "tls:// needs --tls-ca, --tls-cert and --tls-key, or these files in Dask's own configuration"
        if "<TLS" in said:
            return "it ended the TLS handshake: it may refuse the client certificate, or not use TLS"
    elif "<TCP (closed)" in said:
        return "it closed the connection: it may use TLS (tls://) or not be a Dask scheduler"
    return said


def _prepared(client: Any, address: str, shipment: Shipment) -> DaskWorkers:
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
    return DaskWorkers(client, address, shipment.base)


def _plugin(shipment: Shipment) -> Any:
    from capacity.fleet.dask_plugin import UseData

    return UseData(shipment)
