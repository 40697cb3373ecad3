"""Import plans from other formats, one module or package per source. An unfinished plan is a draft.

    any files    read_files
    from files   read_kubectl, read_terraform, read_eksctl, read_cloudformation, read_karpenter, read_helm, read_aws
    live         fetch_aws, fetch_kubectl (read-only)
    the result   Imported (text, plan, document, notes, differences), Note, Difference

Names are loaded when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from capacity.readers.draft import Note
    from capacity.readers.drift import Difference
    from capacity.readers.imported import (
        Imported,
        fetch_aws,
        fetch_kubectl,
        read_aws,
        read_cloudformation,
        read_eksctl,
        read_files,
        read_helm,
        read_karpenter,
        read_kubectl,
        read_terraform,
    )

__all__ = [
    "Difference",
    "Imported",
    "Note",
    "fetch_aws",
    "fetch_kubectl",
    "read_aws",
    "read_cloudformation",
    "read_eksctl",
    "read_files",
    "read_helm",
    "read_karpenter",
    "read_kubectl",
    "read_terraform",
]

_HOMES = {"Note": "draft", "Difference": "drift"}  # the others are in `imported`


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(f"{__name__}.{_HOMES.get(name, 'imported')}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
