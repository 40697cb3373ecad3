"""`python -m capacity`."""

from capacity.cli.start import run

run()
