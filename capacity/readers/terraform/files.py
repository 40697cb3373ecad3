"""Terraform's files: JSON of plans and states, and .tf text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from capacity.readers.draft import PlanDraft
from capacity.readers.merge import merge
from capacity.readers.terraform.resources import parse_terraform


def read(paths: Sequence[str]) -> PlanDraft:
    """Plans and states (JSON), or .tf files and folders of them, as one draft."""
    from capacity.readers.sources import documents_of

    text = [p for p in paths if p.endswith((".tf", ".tfvars", ".hcl")) or Path(p).is_dir()]
    json_files = [p for p in paths if p not in text]
    drafts = []
    if json_files:
        drafts.append(documents_of("terraform", json_files, parse_terraform))
    if text:
        from capacity.readers.terraform.hcl import read_hcl

        drafts.append(read_hcl(text))
    return drafts[0] if len(drafts) == 1 else merge(*drafts)
