"""The optional packages: which extra has them, what needs them, and the message if one is not installed.

A module imports an optional package where it uses it. The entry points (the command, a worker of a fleet) and the
functions that promise a :class:`MissingExtra` do so within :func:`named_extras`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from capacity.errors import MissingExtra

DISTRIBUTION = "eks-pod-capacity"


@dataclass(frozen=True, slots=True)
class OptionalPackages:
    """An extra of the distribution: what cannot work without it, and its packages by the names that are imported.

    ``otherwise`` is what else the user can do, if anything.
    """

    need: str
    packages: tuple[str, ...]
    otherwise: str = ""


# Of the extras with the same package, the one named like the importing room is meant; without one, the first.
EXTRAS: Mapping[str, OptionalPackages] = {
    "frames": OptionalPackages("a DataFrame or an array needs", ("numpy", "pandas")),
    "charts": OptionalPackages("charts need", ("matplotlib", "numpy")),
    "forecast": OptionalPackages("a forecast needs", ("numpy",)),
    "optimize": OptionalPackages("capacity optimize needs", ("highspy", "numpy")),
    "cel": OptionalPackages("a CEL expression needs", ("celpy",)),
    "aws": OptionalPackages("reading from AWS requires", ("boto3",)),
    "terraform": OptionalPackages(".tf text requires", ("hcl2",), "give `terraform show -json`"),
    "xlsx": OptionalPackages("xlsx needs", ("xlsxwriter",)),
    "fleet": OptionalPackages("Dask workers need", ("distributed", "dask")),
}

# Where the name that is installed differs from the name that is imported.
DISTRIBUTIONS: Mapping[str, str] = {"celpy": "cel-python", "hcl2": "python-hcl2"}


@contextmanager
def named_extras() -> Iterator[None]:
    """Within this block, the failed import of an optional package is an error that names its extra.

    Raises
    ------
    MissingExtra
        An optional package is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        missing = missing_extra(error)
        if missing is None:
            raise
        raise missing from None


def missing_extra(error: ModuleNotFoundError) -> MissingExtra | None:
    """The error that names the extra of a package that could not be imported; None if no extra has the package."""
    package = (error.name or "").partition(".")[0]
    having = [name for name, extra in EXTRAS.items() if package in extra.packages]
    if not having:
        return None
    room = _importing_room(error)
    return _missing(room if room in having else having[0], package)


def require_extra(name: str) -> None:
    """Refuse to start work whose end needs an extra that is not installed; imports nothing.

    Raises
    ------
    MissingExtra
        A package of the extra is not installed.
    """
    from importlib.util import find_spec

    for package in EXTRAS[name].packages:
        if find_spec(package) is None:
            raise _missing(name, package)


def _missing(name: str, package: str) -> MissingExtra:
    """The message: what is missing, what needs it, and the commands that install it.

    >>> print(_missing("xlsx", "xlsxwriter"))
    xlsx needs xlsxwriter: pip install 'eks-pod-capacity[xlsx]' or pipx install --force 'eks-pod-capacity[xlsx]'
    """
    extra = EXTRAS[name]
    wanted = f"'{DISTRIBUTION}[{name}]'"
    other = f"; or {extra.otherwise}" if extra.otherwise else ""
    return MissingExtra(
        f"{extra.need} {DISTRIBUTIONS.get(package, package)}: pip install {wanted} or "
        f"pipx install --force {wanted}{other}"
    )


def _importing_room(error: ModuleNotFoundError) -> str:
    """The room of ``capacity`` whose module imported the package; empty if unknown."""
    room, trace = "", error.__traceback__
    while trace is not None:
        module = trace.tb_frame.f_globals.get("__name__", "")
        if module.startswith("capacity."):
            room = module.split(".")[1]
        trace = trace.tb_next
    return room
