"""`capacity fleet check` through its entry point: formats, exit codes, broken plans, workers that die."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import Done, run
from tests.fixtures.fleets import Cluster, write_fleet

SMALL: dict[str, Any] = {"replicas": 4, "peak": 6, "nodes": 1, "most": 2}
FULL: dict[str, Any] = {"replicas": 200, "peak": 300, "nodes": 14, "most": 20}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def check(*arguments: str) -> Done:
    return run("fleet", "check", *arguments)


def results(*arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(check(*arguments, "-o", "json").stdout)["results"]
    return found


def fleet(here: Path, *clusters: Cluster) -> Path:
    write_fleet(here / "plans", clusters)
    return here / "plans"


# --- exit codes -----------------------------------------------------------------------------------


def test_clusters_that_fit_alone_can_run_out_together(here: Path) -> None:
    half: dict[str, Any] = {"replicas": 20, "peak": 30, "nodes": 5, "most": 6}
    fleet(here, Cluster("a", ("c", "d"), **half), Cluster("b", ("c", "d"), **half))
    alone = [run("check", f"plans/{name}.yaml", "-q", "--no-fixes").code for name in "ab"]
    done = check("plans", "-o", "json")
    assert (alone, done.code) == ([0, 0], 1)
    (first, second) = json.loads(done.stdout)["results"]["shared_subnets"]
    assert [c["name"] for c in first["clusters"]] == ["a", "b"]
    assert {first["verdict"], second["verdict"]} == {"exhausted"}


@pytest.mark.parametrize(
    ("arguments", "code"),
    [((), 2), (("--keep-going",), 0), (("--keep-going", "--fail-on", "warning"), 0), (("--exit-zero",), 2)],
)
def test_a_broken_plan_is_a_row_and_the_others_are_answered(here: Path, arguments: tuple[str, ...], code: int) -> None:
    fleet(here, Cluster("a", **SMALL), Cluster("b", **SMALL, vpc="vpc-2"))
    (here / "plans" / "broken.yaml").write_text("apiVersion: capacity/v1\nvpc: {cidr: 1}\n")
    done = check("plans", "-o", "json", *arguments)
    assert done.code == code
    found = json.loads(done.stdout)["results"]
    rows = {row["plan"]: row for row in found["clusters"]}
    assert rows["plans/a.yaml"]["verdict"] == rows["plans/b.yaml"]["verdict"] == "ok"
    broken = rows["plans/broken.yaml"]
    assert broken["verdict"] is None
    assert broken["error"].startswith("plans/broken.yaml:2 vpc.cidr: unknown key (did you mean 'cidrs'?)")


@pytest.mark.usefixtures("here")
def test_a_missing_file_and_nothing_but_broken_plans() -> None:
    done = check("gone.yaml", "--keep-going", "-o", "json")
    assert done.code == 2
    assert json.loads(done.stdout)["results"]["clusters"][0]["error"] == "gone.yaml: no such file"


def test_plans_that_cannot_be_answered_are_no_ok(here: Path) -> None:
    small = fleet(here, Cluster("alone", replicas=2, peak=2, cidrs={"a": "10.0.0.0/20", "b": "10.0.16.0/20"}))
    done = run("fleet", "check", str(small), "missing.yaml", "--keep-going", "-o", "json")
    found = json.loads(done.stdout)["results"]
    assert (done.code, found["verdict"]) == (0, None)
    assert [row["verdict"] for row in found["clusters"] if row["error"] is None] == ["ok"]
    text = run("fleet", "check", str(small), "missing.yaml", "--keep-going").stdout
    assert text.startswith("ERROR: 1 plan could not be answered, the other cluster fits.")


def test_fail_on_and_exit_zero(here: Path) -> None:
    fleet(here, Cluster("a", ("c", "d"), **FULL))
    assert [check("plans", *more).code for more in ((), ("--exit-zero",))] == [1, 0]
    fleet(here, Cluster("a", **SMALL), Cluster("b", **SMALL, used={"a": 9}))  # they differ in `used`: a warning
    assert [check("plans", *more).code for more in ((), ("--fail-on", "warning"))] == [0, 1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--jobs", "0"), "--jobs: 0 is out of range"),
        (("--scheduler", "tcp://127.0.0.1:1", "--local-cluster"), "cannot be combined"),
        (("--scheduler", "tcp://127.0.0.1:1", "--jobs", "2"), "--jobs does not apply"),
        (("--tls-ca", "x.pem"), "--tls-ca needs --scheduler"),
        (("--memory-limit", "lots"), "--memory-limit"),
        (("--memory-limit", "1Ki"), "--memory-limit: '1Ki' is too small"),
        (("-o", "xml"), "--output"),
        (("--fail-on", "never"), "--fail-on"),
        (("--set", "checks.minFree"), "expected PATH=VALUE"),
    ],
)
def test_bad_options_are_one_line(here: Path, arguments: tuple[str, ...], said: str) -> None:
    fleet(here, Cluster("a"))
    done = check("plans", *arguments)
    assert (done.code, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


# --- findings across plans --------------------------------------------------------------------------


def test_plans_that_disagree_are_named_with_their_lines(here: Path) -> None:
    fleet(here, Cluster("one", **SMALL), Cluster("two", **SMALL, zones={"b": "us-east-1c"}))
    done = check("plans", "-o", "json")
    (found,) = json.loads(done.stdout)["results"]["findings"]
    assert done.code == 1
    assert (found["code"], found["severity"]) == ("IP101", "error")
    assert found["message"].startswith(
        "plans/two.yaml:9 and plans/one.yaml:9 disagree about a subnet: b: zone us-east-1b and us-east-1c"
    )
    assert (found["plan"], found["line"]) == ("plans/two.yaml", 9)


def test_a_disagreement_of_json_plans_has_its_lines(here: Path) -> None:
    import yaml

    for name, zones in (("one", {}), ("two", {"b": "us-east-1c"})):
        document = yaml.safe_load(Cluster(name, **SMALL, zones=zones).text)
        (here / f"{name}.json").write_text(json.dumps(document, indent=1))
    (found,) = results("one.json", "two.json")["findings"]
    assert found["line"] is not None
    assert '"b"' in (here / "two.json").read_text().splitlines()[found["line"]]


def test_peered_vpcs_that_overlap(here: Path) -> None:
    fleet(here, Cluster("one", **SMALL), Cluster("two", **SMALL, vpc="vpc-2"))
    (here / "fleet.yaml").write_text(
        "apiVersion: capacity/v1\nkind: Fleet\nplans: [plans/]\npeerings: [{vpcs: [vpc-0aa, vpc-2, vpc-3]}]\n"
    )
    (found,) = results("fleet.yaml")["findings"]
    assert (found["code"], found["severity"]) == ("IP102", "error")
    assert "10.0.0.0/16 (plans/one.yaml) overlaps 10.0.0.0/16 (plans/two.yaml)" in found["message"]


def test_quotas_of_an_account_add_up(here: Path) -> None:
    fleet(
        here,
        Cluster("one", account="1", **SMALL),
        Cluster("two", account="1", vpc="vpc-2", **SMALL),
        Cluster("x", **SMALL),
    )
    (here / "fleet.yaml").write_text(
        "apiVersion: capacity/v1\nkind: Fleet\nplans: [plans/]\n"
        'accounts: [{id: "1", name: pay, quotas: [{name: region_enis, limit: 11}]}]\n'
    )
    found = results("fleet.yaml")
    rows = {(q["account"], q["name"]): q for q in found["quotas"] if q["vpc"] is None}
    enis = rows["1", "region_enis"]
    # Each: one m5.large with a secondary ENI for warm addresses, and four of the control plane.
    assert (enis["used"], enis["limit"], enis["limit_source"], enis["verdict"]) == (12, 11, "fleet", "raise")
    assert rows["1", "vcpus_standard"]["used"] == 4  # 2 × 2 vCPUs
    assert rows[None, "region_clusters"]["used"] == 1
    assert [f["code"] for f in found["findings"]] == ["IP103"]


def test_where_the_next_block_can_come_from(here: Path) -> None:
    fleet(here, Cluster("one", **SMALL))
    (vpc,) = results("plans")["vpcs"]
    assert vpc["next_block"] == {"cidr": "10.0.16.0/20", "source": "free"}
    assert (vpc["subnets"], vpc["usable"]) == (2, 502)


def test_regions_of_the_fleet_file_leave_plans_out(here: Path) -> None:
    fleet(here, Cluster("one", **SMALL), Cluster("two", **SMALL))
    (here / "fleet.yaml").write_text(
        "apiVersion: capacity/v1\nkind: Fleet\nregions: [eu-west-1]\n"
        "plans: [plans/one.yaml, {path: plans/two.yaml, region: eu-west-1}]\n"
    )
    done = check("fleet.yaml", "-o", "json")
    assert [row["name"] for row in json.loads(done.stdout)["results"]["clusters"]] == ["two"]
    assert "left out: plans/one.yaml" in json.loads(done.stdout)["warnings"][0]


def test_a_plan_that_only_another_plan_names_is_counted_and_gets_no_row(here: Path) -> None:
    fleet(here, Cluster("one", vpc=None, beside=("two.yaml",), **SMALL), Cluster("two", vpc=None, **SMALL))
    (row,) = results("plans/one.yaml")["clusters"]
    assert row["shares_with"] == ["two"]


# --- formats ----------------------------------------------------------------------------------------


def test_csv_has_a_line_for_each_plan(here: Path) -> None:
    fleet(here, Cluster("a", **SMALL), Cluster("b", **SMALL))
    (here / "plans" / "broken.yaml").write_text("apiVersion: capacity/v1\n")
    rows = list(csv.DictReader(io.StringIO(check("plans", "-o", "csv").stdout)))
    assert [row["plan"] for row in rows] == ["plans/a.yaml", "plans/b.yaml", "plans/broken.yaml"]
    assert rows[0]["tightest_subnet"] in "ab"
    assert rows[2]["error"].startswith("plans/broken.yaml")


def test_sarif_has_the_findings_at_the_lines_of_each_plan(here: Path) -> None:
    fleet(here, Cluster("one", **FULL), Cluster("two", **SMALL, zones={"b": "us-east-1c"}))
    log = json.loads(check("plans", "-o", "sarif").stdout)
    places = {
        (r["ruleId"], r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"])
        for r in log["runs"][0]["results"]
    }
    assert ("IP101", "plans/two.yaml") in places
    assert any(code == "IP001" and uri == "plans/one.yaml" for code, uri in places)
    prints = [r["partialFingerprints"]["capacityFinding/v1"] for r in log["runs"][0]["results"]]
    assert len(prints) == len(set(prints))


@pytest.mark.parametrize("form", ["table", "md", "yaml"])
def test_the_other_formats_name_every_cluster(here: Path, form: str) -> None:
    fleet(here, Cluster("shop-one", **SMALL), Cluster("shop-two", **FULL))
    done = check("plans", "-o", form)
    assert "shop-one" in done.stdout
    assert "shop-two" in done.stdout


def test_names_are_inert_in_every_format(here: Path) -> None:
    text = Cluster("evil", **SMALL).text.replace("name: evil", 'name: "<script>::error::|x"')
    (here / "evil.yaml").write_text(text)
    assert "<script>" not in check("evil.yaml", "-o", "md").stdout
    assert not any(line.startswith("::") for line in check("evil.yaml").stdout.splitlines())


# --- workers and what is kept -----------------------------------------------------------------------


def test_processes_answer_with_the_same_bytes(here: Path) -> None:
    fleet(here, *(Cluster(f"c{i:02}", **SMALL, vpc=f"vpc-{i % 7}") for i in range(40)))
    serial = check("plans", "-o", "json").stdout
    assert len(json.loads(serial)["results"]["clusters"]) == 40
    assert check("plans", "-o", "json", "--jobs", "2").stdout == serial


def test_finished_units_are_kept_and_used_again(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet(here, Cluster("a", **SMALL), Cluster("b", **SMALL))
    first = check("plans", "-o", "json", "--resume", "kept")
    kept = sorted((here / "kept").rglob("*.json"))
    assert len(kept) == 2  # what the plans share, and their check
    monkeypatch.setattr("capacity.fleet.workforce.answer_unit", None)  # nothing is left to answer
    assert check("plans", "-o", "json", "--resume", "kept").stdout == first.stdout


def test_a_damaged_or_changed_unit_is_answered_again(here: Path) -> None:
    fleet(here, Cluster("a", **SMALL))
    first = check("plans", "-o", "json", "--resume", "kept").stdout
    for path in (here / "kept").rglob("*.json"):
        path.write_text(path.read_text()[:40])
    assert check("plans", "-o", "json", "--resume", "kept").stdout == first
    fleet(here, Cluster("a", **FULL))
    changed = json.loads(check("plans", "-o", "json", "--resume", "kept").stdout)
    assert changed["results"]["clusters"][0]["nodes"] == FULL["nodes"]


def test_a_file_in_place_of_the_folder_is_one_line(here: Path) -> None:
    fleet(here, Cluster("a", **SMALL))
    (here / "kept").write_text("")
    done = check("plans", "--resume", "kept")
    assert (done.code, done.stderr.count("\n")) == (2, 1)
    assert "--resume 'kept'" in done.stderr


def poisoned(here: Path) -> None:
    """A plan whose reading takes some hundred megabytes."""
    entries = ",".join(f'{{"name":"w{i}","replicas":1}}' for i in range(400_000))
    text = Cluster("big", **SMALL).text.partition("workloads:")[0]
    import yaml

    document = json.dumps(yaml.safe_load(text))
    (here / "plans" / "big.json").write_text(document[:-1] + f', "workloads": [{entries}]}}')


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_plan_that_takes_too_much_memory_is_a_row(here: Path, jobs: str) -> None:
    fleet(here, Cluster("a", **SMALL), Cluster("b", **SMALL))
    poisoned(here)
    done = check("plans", "--memory-limit", "64Mi", "--jobs", jobs, "-o", "json")
    rows = {row["plan"]: row for row in json.loads(done.stdout)["results"]["clusters"]}
    assert done.code == 2
    assert rows["plans/big.json"]["error"] == (
        "plans/big.json: the worker ran out of memory or died while it answered this plan alone (see --memory-limit)"
    )
    assert rows["plans/a.yaml"]["verdict"] == rows["plans/b.yaml"]["verdict"] == "ok"


# --- other questions --------------------------------------------------------------------------------


def grown(cluster: Cluster) -> str:
    """The plan of a cluster whose workload grows."""
    return cluster.text.replace("memory: 128Mi}}", "memory: 128Mi}, growth: {rate: 10%/month, stddev: 3%}}")


def test_a_forecast_names_the_first_cluster_to_run_out(here: Path) -> None:
    (here / "plans").mkdir()
    slow = Cluster("slow", most=40, vpc="vpc-1", replicas=20)
    fast = Cluster("fast", most=40, vpc="vpc-2", replicas=90, peak=90)
    for cluster in (slow, fast):
        (here / "plans" / f"{cluster.name}.yaml").write_text(grown(cluster))
    still = Cluster("still", vpc="vpc-3", **SMALL)
    (here / "plans" / "still.yaml").write_text(still.text)
    arguments = ("plans", "--horizon", "3y", "--as-of", "2026-12-01", "--paths", "500", "-o", "json")
    done = run("fleet", "forecast", *arguments)
    found = json.loads(done.stdout)["results"]
    assert [row["error"] for row in found["clusters"]] == [None] * 3
    assert done.code == 0
    order = [row["name"] for row in found["runs_out_first"]]
    assert order[0] == "fast"
    assert "still" not in order
    alone = json.loads(run("forecast", "plans/fast.yaml", *arguments[1:]).stdout)["results"]
    (row,) = (row for row in found["clusters"] if row["name"] == "fast")
    assert row["subnets"] == alone
    assert run("fleet", "forecast", *arguments, "-j", "2").stdout == done.stdout


def test_a_forecast_counts_the_clusters_in_shared_subnets(here: Path) -> None:
    (here / "plans").mkdir()
    (here / "plans" / "one.yaml").write_text(grown(Cluster("one", most=40, replicas=40, peak=40)))
    arguments = ("--horizon", "3y", "--as-of", "2026-12-01", "--paths", "200", "-o", "json")
    alone = json.loads(run("fleet", "forecast", "plans", *arguments).stdout)["results"]["runs_out_first"][0]
    (here / "plans" / "two.yaml").write_text(Cluster("two", nodes=5, most=5, replicas=30, peak=30).text)
    together = json.loads(run("fleet", "forecast", "plans", *arguments).stdout)["results"]["runs_out_first"][0]
    assert together["date_p50"] < alone["date_p50"]


def test_optimize_counts_the_savings_of_all_clusters(here: Path) -> None:
    fleet(here, Cluster("one", nodes=6, most=9, vpc="vpc-1"), Cluster("two", nodes=4, most=6, vpc="vpc-2"))
    done = run("fleet", "optimize", "plans", "--types", "m6i.*,m5.*", "-o", "json")
    assert done.code == 0
    found = json.loads(done.stdout)["results"]
    saved = [row["saves_usd_per_month"] for row in found["clusters"]]
    assert all(isinstance(s, float) and s > 0 for s in saved)
    assert found["saves_usd_per_month"] == round(sum(saved), 2)
    one = json.loads(run("optimize", "plans/one.yaml", "--types", "m6i.*,m5.*", "-o", "json").stdout)["results"]
    assert found["clusters"][0]["usd_per_month"] == one["usd_per_month"]


def test_a_report_for_each_cluster_and_an_overview_that_links_to_them(here: Path) -> None:
    fleet(here, Cluster("one", **SMALL), Cluster("two", **SMALL))
    (here / "plans" / "broken.yaml").write_text("apiVersion: capacity/v1\n")
    done = run("fleet", "report", "plans", "--out-dir", "out", "--as-of", "2026-12-01")
    assert done.code == 2
    assert "wrote out/index.html" in done.stderr
    index = (here / "out" / "index.html").read_text()
    reports = sorted((here / "out" / "clusters").glob("*.html"))
    assert [path.name.rpartition("-")[0] for path in reports] == ["one", "two"]
    for path in reports:
        assert f'href="clusters/{path.name}"' in index
        assert "capacity fleet report plans --out-dir out" in path.read_text()
    assert "plans/broken.yaml" in index
