"""`capacity import` with all its sources: files, and AWS itself."""

from __future__ import annotations

import typer

from capacity.cli.import_ import app
from capacity.cli.import_aws import add_source


def register(parent: typer.Typer) -> None:
    """Add the verb to the command line."""
    add_source(app)
    parent.add_typer(app)
