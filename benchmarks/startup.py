"""How long a short answer takes from keypress to prompt, against the smallest program the CLI library can make.

    python -m benchmarks.startup [RUNS]

Whole processes, taken in turn so that a slow spell of the machine hits each alike. Prints a Markdown table
for benchmarks/RESULTS.md; nothing here is a test.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# What `capacity maxpods m5.large` has no use for; tests/cli/test_startup_modules.py holds it to this.
FORBIDDEN_MODULES = frozenset({"pandas", "matplotlib", "boto3", "highspy", "scipy", "numpy", "pydantic"})

EXAMPLE = Path(__file__).parents[1] / "examples" / "first-plan.yaml"

LIST_LOADED_MODULES = """
import sys
from capacity.cli.main import run
try:
    run()
finally:
    print(*sorted(sys.modules), file=sys.stderr)
"""

SMALLEST = """
import typer

def main(word: str) -> None:
    print(word)

typer.run(main)
"""


def run_time_ms(command: list[str]) -> float:
    """Wall time of one whole process, from start to exit. [ms]"""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - start) * 1000


def measure(commands: dict[str, list[str]], runs: int) -> dict[str, list[float]]:
    """``runs`` times of each command, in turn, after one run that fills the caches."""
    for command in commands.values():
        run_time_ms(command)
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            times[name].append(run_time_ms(command))
    return times


def markdown_table(times: dict[str, list[float]], base: str) -> str:
    """Minimum and median of each command and the ratio of its median to that of ``base``."""
    lines = ["| command | min, ms | median, ms | median ÷ smallest |", "|---|---:|---:|---:|"]
    reference = statistics.median(times[base])
    for name, values in times.items():
        median = statistics.median(values)
        lines.append(f"| {name} | {min(values):.0f} | {median:.0f} | {median / reference:.2f} |")
    return "\n".join(lines)


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    capacity = str(Path(sys.executable).with_name("capacity"))
    with tempfile.TemporaryDirectory() as folder:
        smallest = Path(folder) / "smallest.py"
        smallest.write_text(SMALLEST)
        commands = {
            "`python -c pass`": [sys.executable, "-c", "pass"],
            "smallest typer program": [sys.executable, str(smallest), "m5.large"],
            "`capacity maxpods m5.large`": [capacity, "maxpods", "m5.large"],
            "`capacity check examples/first-plan.yaml`": [capacity, "check", str(EXAMPLE), "--quiet", "--exit-zero"],
            "the same with `--no-fixes`": [capacity, "check", str(EXAMPLE), "--quiet", "--exit-zero", "--no-fixes"],
        }
        times = measure(commands, runs)
    print(f"startup, {runs} runs, Python {sys.version.split()[0]}\n")
    print(markdown_table(times, "smallest typer program"))


if __name__ == "__main__":
    main()
