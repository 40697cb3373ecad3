"""Without any extra: what works, and what every other command says."""

from __future__ import annotations

import pytest
import yaml

from tests.packaging.conftest import REPO, Installation, canonical, locked

MOST_MB = 60  # of a base install, with its compiled modules

ANSWERED = [
    "maxpods m5.large",
    "maxpods --all -o json",
    "node m5.large --pod-cpu 250m --pod-memory 512Mi",
    "check examples/first-plan.yaml --exit-zero",
    "check examples/shop-prod.yaml --simulate --exit-zero",
    "check examples/shop-prod.yaml -o sarif --exit-zero",
    "compare examples/shop-prod.yaml --set cni.env.WARM_IP_TARGET=4 -o md",
    "subnets examples/shop-prod.yaml",
    "size --pods 100 --type m5.large",
    "warm examples/shop-prod.yaml",
    "services --services 5000 --endpoints 2",
    "simulate examples/shop-prod.yaml",
    "explain private-b examples/shop-prod.yaml --scenario peak",
    "init --example prod -",
    "data verify",
    "report examples/first-plan.yaml -o md",
    "fleet check examples/shared-subnets examples/fleet --exit-zero",
    "fleet check examples/fleet -o html --exit-zero",
    "fleet simulate examples/fleet",
    "import eksctl examples/import/cluster.yaml",
    "import karpenter examples/import/nodepool.yaml",
    "import cloudformation examples/import/template.yaml",
    "import kubectl examples/import/objects.yaml",
    "import terraform examples/import/tfplan.json",
    "import aws --from examples/aws-answers",
]

LACKING = [
    ("maxpods m5.large --expression max_enis*10", "cel", "a CEL expression needs cel-python"),
    ("optimize examples/shop-prod.yaml", "optimize", "capacity optimize needs numpy"),
    ("fleet optimize examples/fleet", "optimize", "capacity optimize needs numpy"),
    ("fleet optimize examples/fleet --jobs 2", "optimize", "capacity optimize needs numpy"),
    ("forecast examples/shop-prod.yaml", "forecast", "a forecast needs numpy"),
    ("fleet forecast examples/fleet", "forecast", "a forecast needs numpy"),
    ("report examples/shop-prod.yaml", "charts", "charts need matplotlib"),
    ("report examples/shop-prod.yaml -o md", "forecast", "a forecast needs numpy"),
    ("report examples/shop-prod.yaml -o xlsx", "xlsx", "xlsx needs xlsxwriter"),
    ("fleet report examples/fleet --out-dir review", "charts", "charts need matplotlib"),
    ("simulate examples/shop-prod.yaml --charts charts", "charts", "charts need matplotlib"),
    ("fleet check examples/fleet --scheduler tcp://127.0.0.1:1", "fleet", "Dask workers need distributed"),
    ("import aws", "aws", "reading from AWS requires boto3"),
    ("doctor", "aws", "reading from AWS requires boto3"),
    ("data refresh", "aws", "reading from AWS requires boto3"),
    ("import terraform examples/import/terraform", "terraform", ".tf text requires python-hcl2"),
]


@pytest.mark.parametrize("command", ANSWERED)
def test_a_base_install_answers(command: str, base: Installation) -> None:
    done = base.run("capacity", *command.split())
    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.parametrize(("command", "extra", "said"), LACKING, ids=[row[0] for row in LACKING])
def test_one_line_names_the_extra(command: str, extra: str, said: str, base: Installation) -> None:
    done = base.run("capacity", *command.split())
    wanted = f"'eks-pod-capacity[{extra}]'"
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert done.stderr.startswith(f"error: {said}: pip install {wanted} or pipx install --force {wanted}")
    assert done.stderr.count("\n") == 1


def test_a_base_install_is_small_and_holds_what_is_locked(base: Installation) -> None:
    (packages,) = base.python.parents[1].glob("lib/python*/site-packages")
    own = [
        p for p in packages.iterdir() if canonical(p.name.split("-")[0]) not in {"pip", "setuptools", "pkg-resources"}
    ]
    size = sum(f.stat().st_size for top in own for f in ([top] if top.is_file() else top.rglob("*")) if f.is_file())
    assert size < MOST_MB * 1e6

    listed = base.run("python", "-m", "pip", "list", "--format", "freeze").stdout
    names = {canonical(line.partition("==")[0]) for line in listed.splitlines()} - {"pip", "setuptools"}
    assert names - {"eks-pod-capacity"} < locked("slim.txt")
    assert not names & {"numpy", "pandas", "matplotlib", "cel-python"}


def test_a_python_name_that_needs_an_extra_says_which(base: Installation) -> None:
    program = "import capacity; print(capacity.check('examples/ipv6.yaml').verdict); capacity.optimize_plan"
    done = base.run("python", "-c", program)
    assert done.stdout == "ok\n"
    assert done.stderr.splitlines()[-1].startswith(
        "capacity.errors.MissingExtra: capacity optimize needs numpy: pip install 'eks-pod-capacity[optimize]'"
    )


def test_the_pre_commit_hook_runs_from_a_base_install(base: Installation) -> None:
    (hook,) = yaml.safe_load((REPO / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    entry = hook["entry"].split()
    fits = base.run(*entry, "examples/ipv6.yaml")
    runs_out = base.run(*entry, "examples/ipv6.yaml", "examples/shop-prod.yaml")
    assert (fits.returncode, runs_out.returncode) == (0, 1), fits.stderr + runs_out.stderr
    assert "1 of 2 clusters runs out" in runs_out.stdout
