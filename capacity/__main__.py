from capacity.cli.main import run

run()
