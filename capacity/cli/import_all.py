"""`capacity import` with all its sources: files, and AWS itself."""

from __future__ import annotations

import typer

from capacity.cli import import_aws, import_terraform
from capacity.cli.import_ import app


def register(parent: typer.Typer) -> None:
    """Add the verb to the command line."""
    import_terraform.add_source(app)
    import_aws.add_source(app)
    parent.add_typer(app)
