"""Shell completion: verbs, options, their words and instance types; and that it costs a short answer nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from capacity.cli.main import VERBS
from tests.cli.entry import capacity

COMPLETE = """
import json, sys
from capacity.cli.main import run
try:
    run()
finally:
    print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


def completed(words: str, at: int) -> tuple[list[str], set[str]]:
    """What bash is offered for the word at a place of the line, and the modules that were loaded for it."""
    asked = {"_CAPACITY_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(at)}
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.argv = ['capacity']{COMPLETE}"],
        env=os.environ | asked,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split(), set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("capacity maxpods m7g.2", ["m7g.2xlarge"]),
        ("capacity node m5.large m5.x", ["m5.xlarge"]),
        ("capacity maxp", ["maxpods"]),
        ("capacity data v", ["verify"]),
        ("capacity maxpods --mode pre", ["prefix"]),
        ("capacity node --ami bottle", ["bottlerocket"]),
        ("capacity node --provisioner m", ["managed"]),
        ("capacity check -o js", ["json"]),
        ("capacity maxpods --reser", ["--reserved-enis"]),
        ("capacity maxpods no-such-type", []),
    ],
)
def test_what_is_offered(line: str, offered: list[str]) -> None:
    assert completed(line, len(line.split()) - 1)[0] == offered


def test_a_bare_tab_offers_every_verb() -> None:
    assert completed("capacity ", 1)[0] == list(VERBS)


def test_types_are_offered_without_heavy_modules() -> None:
    offered, loaded = completed("capacity maxpods m5.", 2)
    assert offered[:3] == ["m5.large", "m5.xlarge", "m5.2xlarge"]
    assert {"numpy", "pandas", "yaml"} & loaded == set()


def test_a_short_answer_lists_no_types() -> None:
    script = (
        "import sys; from capacity.catalog.table import Catalog; Catalog.names = None; "
        "sys.argv = ['capacity', 'maxpods', 'm5.large']; from capacity.cli.main import run; run()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, capacity("maxpods", "m5.large").stdout)
