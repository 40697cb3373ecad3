"""What workers on other machines need besides the plans: the user's own data, and a proof that the rest is equal."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from capacity.catalog.layers import CACHE_VARIABLE, FEES, LIMITS, OVERRIDES_VARIABLE, PRICES, found_cache_dir
from capacity.catalog.packaged import data_dir
from capacity.errors import CapacityError


@dataclass(frozen=True)
class Shipment:
    """Files of the user's data, sent once to each worker.

    Attributes
    ----------
    base : str
        Version and data of the sender: a worker with others refuses to answer.
    cache : mapping of str to bytes
        Files of the user's folder of newer figures.
    overrides : tuple of str and bytes, or None
        The file that CAPACITY_OVERRIDES names.
    """

    base: str
    cache: Mapping[str, bytes]
    overrides: tuple[str, bytes] | None = None
    as_of: str | None = None


def pack() -> Shipment:
    """The data of this process.

    Raises
    ------
    CapacityError
        A file cannot be read.
    """
    try:
        folder = found_cache_dir()
        names = (LIMITS, PRICES, FEES, "overrides.toml", "overrides.csv")
        cached = {n: (folder / n).read_bytes() for n in names if folder and (folder / n).is_file()}
        given = os.environ.get(OVERRIDES_VARIABLE)
        overrides = (Path(given).name, Path(given).read_bytes()) if given else None
    except OSError as error:
        raise CapacityError(f"{error.filename}: {error.strerror or error}") from error
    return Shipment(_digest(cached, overrides), cached, overrides, os.environ.get("SOURCE_DATE_EPOCH"))


def base_of() -> str:
    """Identifies the version and the data of this process."""
    return pack().base


_installed: list[str] = []


def install(shipment: Shipment) -> None:
    """Use the sender's data in this worker.

    Raises
    ------
    CapacityError
        The worker has another version of capacity, or other packaged data.
    """
    if _installed == [shipment.base]:
        return
    here = _digest(shipment.cache, shipment.overrides)
    if here != shipment.base:
        raise CapacityError(f"a worker has {here.partition(' ')[0]}, but this is {shipment.base.partition(' ')[0]}")
    folder = Path(tempfile.mkdtemp(prefix="capacity-data-"))
    for name, blob in shipment.cache.items():
        (folder / name).write_bytes(blob)
    os.environ[CACHE_VARIABLE] = str(folder if shipment.cache else folder / "none")
    os.environ.pop(OVERRIDES_VARIABLE, None)
    if shipment.overrides is not None:
        name, blob = shipment.overrides
        place = Path(tempfile.mkdtemp(prefix="capacity-overrides-")) / name
        place.write_bytes(blob)
        os.environ[OVERRIDES_VARIABLE] = str(place)
    if shipment.as_of is not None:
        os.environ["SOURCE_DATE_EPOCH"] = shipment.as_of
    _installed[:] = [shipment.base]


def _digest(cached: Mapping[str, bytes], overrides: tuple[str, bytes] | None) -> str:
    digest = hashlib.sha256(_packaged().encode())
    for name, blob in [*sorted(cached.items()), *([overrides] if overrides else [])]:
        digest.update(name.encode() + b"\0" + hashlib.sha256(blob).digest())
    from capacity import __version__

    return f"capacity-{__version__}-data-{_packaged()[:12]} {digest.hexdigest()}"


@cache
def _packaged() -> str:
    """Digest of the packaged data."""
    digest = hashlib.sha256()
    for path in sorted(data_dir().iterdir(), key=lambda p: p.name):
        if path.is_file():
            digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
