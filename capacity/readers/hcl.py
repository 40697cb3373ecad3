"""Stub."""

from __future__ import annotations

from collections.abc import Sequence

from capacity.readers.draft import PlanDraft


def read_hcl(paths: Sequence[str]) -> PlanDraft:
    raise NotImplementedError(paths)
