"""`python -m capacity.cli`."""

from capacity.cli.start import run

run()
