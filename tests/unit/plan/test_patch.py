"""Changes a plan by paths: what a path means, what a wrong one says, and that files keep their looks."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.errors import SpecError
from capacity.plan.document import parse_json, parse_yaml, read_document
from capacity.plan.parse import parse_plan, read_patched
from capacity.plan.patch import apply_patch, parse_settings, patched_text, write_patched
from capacity.plan.sections import PlanSection

PLAN = """\
apiVersion: capacity/v1
# the network
vpc:
  cidrs: [10.0.0.0/16]       # one block
  subnets:
    - {name: a, zone: us-east-1a, cidr: 10.0.0.0/24}
    - name: b
      zone: us-east-1b
      cidr: 10.0.1.0/24

kubernetes: {version: 1.30}
nodeGroups:
  - name: general
    instanceTypes: [m5.large]
    subnets: [a, b]
    nodes: {min: 1, desired: 2, max: 4}
workloads:
  - {name: web, replicas: 10}
tenants:
  - {kind: vpcEndpoint, name: ecr.api, subnets: [a]}
"""


def document(text: str = PLAN) -> PlanSection:
    found = parse_yaml(text, "plan.yaml")
    assert isinstance(found, PlanSection)
    return found


class TestPaths:
    @pytest.mark.parametrize(
        ("path", "value", "where"),
        [
            ("nodeGroups[0].nodes.max", "30", lambda d: d["nodeGroups"][0]["nodes"]["max"]),
            ("nodeGroups.general.nodes.max", "30", lambda d: d["nodeGroups"][0]["nodes"]["max"]),
            ("nodeGroups[general].nodes.max", "30", lambda d: d["nodeGroups"][0]["nodes"]["max"]),
            ("tenants[ecr.api].addresses", "2", lambda d: d["tenants"][0]["addresses"]),
            ("cni.env.WARM_IP_TARGET", "2", lambda d: d["cni"]["env"]["WARM_IP_TARGET"]),
            ("vpc.cidrs[0]", "10.0.0.0/15", lambda d: d["vpc"]["cidrs"][0]),
            ("vpc.cidrs[10.0.0.0/16]", "10.0.0.0/15", lambda d: d["vpc"]["cidrs"][0]),
            ("vpc.cidrs[+]", "100.64.0.0/16", lambda d: d["vpc"]["cidrs"][1]),
            ("checks.scenarios[+]", "peak", lambda d: d["checks"]["scenarios"][0]),
        ],
    )
    def test_a_value_lands_where_the_path_says(self, path: str, value: str, where: object) -> None:
        assert callable(where)
        assert where(apply_patch(document(), {path: value})) == value

    def test_the_document_itself_stays(self) -> None:
        before = document()
        apply_patch(before, {"nodeGroups.general.nodes.max": 30, "vpc.cidrs[+]": "100.64.0.0/16", "workloads": None})
        assert before == document()

    def test_null_deletes_keys_and_entries(self) -> None:
        changed = apply_patch(document(), {"kubernetes": None, "vpc.subnets.a": None})
        assert "kubernetes" not in changed
        assert [s["name"] for s in changed["vpc"]["subnets"]] == ["b"]

    def test_values_are_held_as_a_document_holds_them(self) -> None:
        changed = apply_patch(document(), {"nodeGroups.general.maxPods": 50, "workloads.web.hostNetwork": True})
        assert changed["nodeGroups"][0]["maxPods"] == "50"
        assert changed["workloads"][0]["hostNetwork"] == "true"

    def test_a_shared_value_changes_in_one_place(self) -> None:
        text = "a: &x {n: 1}\nb: *x\n"
        assert apply_patch(document(text), {"a.n": 2}) == {"a": {"n": "2"}, "b": {"n": "1"}}

    @pytest.mark.parametrize(
        ("path", "value", "message"),
        [
            ("nodeGroups.genral.maxPods", 5, r"there is no 'genral' in nodeGroups \(did you mean 'general'\?\)"),
            ("nodeGroups[3].maxPods", 5, r"nodeGroups has no entry \[3\] \(it has 1\)"),
            ("workloads.web.replicas.max", 5, r"workloads\[0\].replicas is '10', a single value: set the whole value"),
            ("vpc[0]", 5, "vpc is a mapping, not a list"),
            ("vpc.cidr", None, r"nothing to delete \(did you mean 'cidrs'\?\)"),
            ("vpc.cidrs[+]", None, "cannot append null"),
            ("vpc..cidrs", 5, "is not a path"),
            ("vpc.cidrs[", 5, "is not a path"),
            ("[0]", 5, "is not a path"),
            ("", 5, "an empty path"),
            ("vpc.cidrs[0]x", 5, "a dot is missing before 'x'"),
            ("metadata", object(), "a plan cannot contain object"),
        ],
    )
    def test_a_wrong_path_says_so(self, path: str, value: object, message: str) -> None:
        with pytest.raises(SpecError, match=message):
            apply_patch(document(), {path: value})


class TestLines:
    def test_the_parser_names_the_line_and_the_change(self, tmp_path: Path) -> None:
        plan = tmp_path / "plan.yaml"
        plan.write_text(PLAN)
        with pytest.raises(SpecError, match=r"plan.yaml:16 nodeGroups\[0\].nodes.max: .*'many'.* \(after setting n"):
            read_patched(plan, {"nodeGroups.general.nodes.max": "many"})

    def test_an_unknown_key_gets_the_nearest_name(self) -> None:
        changed = apply_patch(document(), {"nodegroups.general.maxPods": 50})
        with pytest.raises(SpecError, match=r"plan.yaml:1 nodegroups: unknown key \(did you mean 'nodeGroups'\?\)"):
            parse_plan(changed, "plan.yaml")

    def test_lines_below_a_deleted_entry_stay_right(self) -> None:
        changed = apply_patch(document(), {"vpc.subnets.a": None, "vpc.subnets.b.cidr": "10.9.0.0/33"})
        with pytest.raises(SpecError, match=r"plan.yaml:9 vpc.subnets\[0\].cidr"):
            parse_plan(changed, "plan.yaml")


class TestSettings:
    def test_values_are_yaml_and_stay_as_written(self) -> None:
        patch = parse_settings(["a=1.30", "b=[x, y]", "c='null'", "d=null", "e=''", "f=p=q"])
        assert patch == {"a": "1.30", "b": ["x", "y"], "c": "null", "d": None, "e": "", "f": "p=q"}

    def test_appending_twice_appends_both(self) -> None:
        patch = parse_settings(["vpc.cidrs[+]=100.64.0.0/16", "vpc.cidrs[+]=100.65.0.0/16"])
        assert apply_patch(document(), patch)["vpc"]["cidrs"][1:] == ["100.64.0.0/16", "100.65.0.0/16"]

    @pytest.mark.parametrize(
        ("setting", "message"),
        [
            ("cni.env.X", "expected PATH=VALUE"),
            ("=3", "expected PATH=VALUE"),
            ("a=", "no value after '='"),
            ("a={", "not valid YAML"),
        ],
    )
    def test_what_is_no_setting(self, setting: str, message: str) -> None:
        with pytest.raises(SpecError, match=f"--set.*{message}"):
            parse_settings([setting])

    def test_the_same_path_twice(self) -> None:
        with pytest.raises(SpecError, match="--set a: duplicate path"):
            parse_settings(["a=1", "a=2"])


class TestFiles:
    def test_only_the_lines_in_question_change(self, tmp_path: Path) -> None:
        plan = tmp_path / "plan.yaml"
        plan.write_text(PLAN)
        patch: dict[str, object] = {
            "cni.env.WARM_IP_TARGET": 2,
            "nodeGroups.general.nodes.max": 30,
            "vpc.cidrs[+]": "100.64.0.0/16",
            "vpc.subnets[+]": {"name": "pods-a", "zone": "us-east-1a", "cidr": "100.64.0.0/18"},
        }
        write_patched(plan, patch, tmp_path / "out.yaml")
        before, after = PLAN.splitlines(), (tmp_path / "out.yaml").read_text().splitlines()
        assert [line for line in after if line not in before] == [
            "  cidrs: [10.0.0.0/16, 100.64.0.0/16] # one block",
            "    - {name: pods-a, zone: us-east-1a, cidr: 100.64.0.0/18}",
            "    nodes: {min: 1, desired: 2, max: 30}",
            "cni:",
            "  env:",
            '    WARM_IP_TARGET: "2"',
        ]
        assert [line for line in before if line not in after] == [
            "  cidrs: [10.0.0.0/16]       # one block",
            "    nodes: {min: 1, desired: 2, max: 4}",
        ]

    def test_json_stays_json_and_versions_stay_as_written(self, tmp_path: Path) -> None:
        plan = tmp_path / "plan.json"
        plan.write_text('{"kubernetes": {"version": 1.30}, "nodeGroups": [{"name": "g", "nodes": {"max": 4}}]}')
        text = patched_text(plan, {"nodeGroups.g.nodes.max": "30", "cni.env.WARM_IP_TARGET": "2"})
        assert json.loads(text) == {
            "kubernetes": {"version": "1.30"},
            "nodeGroups": [{"name": "g", "nodes": {"max": 30}}],
            "cni": {"env": {"WARM_IP_TARGET": "2"}},
        }

    def test_a_shared_value_cannot_be_rewritten_in_one_place(self, tmp_path: Path) -> None:
        plan = tmp_path / "plan.yaml"
        plan.write_text("a: &x {n: 1}\nb: *x\n")
        with pytest.raises(SpecError, match="cannot be rewritten faithfully"):
            patched_text(plan, {"a.n": 2})

    def test_nothing_is_left_behind_where_the_folder_is_missing(self, tmp_path: Path) -> None:
        plan = tmp_path / "plan.yaml"
        plan.write_text(PLAN)
        with pytest.raises(SpecError, match="No such file or directory"):
            write_patched(plan, {"kubernetes": None}, tmp_path / "none" / "out.yaml")
        assert [p.name for p in tmp_path.iterdir()] == ["plan.yaml"]


EXAMPLE = Path(__file__).parents[3] / "examples" / "shop-prod.yaml"


def leaves(value: object, path: str = "") -> list[tuple[str, object]]:
    """Every single value of a document with its path, as messages print it."""
    if isinstance(value, dict):
        return [leaf for k, v in value.items() for leaf in leaves(v, f"{path}.{k}".lstrip("."))]
    if isinstance(value, list):
        return [leaf for i, v in enumerate(value) for leaf in leaves(v, f"{path}[{i}]")]
    return [(path, value)]


def test_every_value_of_the_example_has_its_path() -> None:
    document = read_document(EXAMPLE)
    every = leaves(document)
    assert len(every) > 100
    for path, value in every:
        assert apply_patch(document, {path: value}) == document
        changed = apply_patch(document, {path: "changed"})
        assert [(p, v) for p, v in leaves(changed) if (p, v) not in every] == [(path, "changed")]


words = st.text("abcxyz_-/%.0123456789 :#'\"é", min_size=1, max_size=8).filter(lambda t: t.strip())
values = st.recursive(
    words | st.integers(-(10**6), 10**6) | st.booleans(),
    lambda inner: st.lists(inner, min_size=1, max_size=3) | st.dictionaries(words, inner, min_size=1, max_size=3),
    max_leaves=6,
)


@given(value=values)
def test_what_is_written_is_what_was_set(value: object, tmp_path_factory: pytest.TempPathFactory) -> None:
    plan = tmp_path_factory.mktemp("plan") / "plan.yaml"
    plan.write_text(PLAN)
    patch = {"metadata.labels": value}
    assert parse_yaml(patched_text(plan, patch), "out") == apply_patch(read_document(plan), patch)
    plan = plan.with_suffix(".json")
    plan.write_text(json.dumps({"metadata": {}}))
    assert _texts(parse_json(patched_text(plan, patch), "out")) == apply_patch(read_document(plan), patch)


def _texts(value: object) -> object:
    """JSON's true and false as a YAML document spells them."""
    if isinstance(value, dict):
        return {k: _texts(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_texts(v) for v in value]
    return str(value).lower() if isinstance(value, bool) else value


def refusal(call: Callable[[], object]) -> str:
    """What a call refuses with, empty where it does not."""
    try:
        call()
    except SpecError as error:
        return str(error)
    return ""


@given(path=st.text("abv.[]+0123=pcinodeGroups", max_size=24), value=values | st.none())
def test_any_path_is_taken_or_refused_in_one_line(path: str, value: object) -> None:
    patch = {path: value, "vpc.cidrs[+]": value}
    assert "\n" not in refusal(lambda: apply_patch(read_document(EXAMPLE), patch))


@given(setting=st.text("abv.[]+01=pcn{}:'\"&*!%#\n", max_size=20))
def test_any_setting_is_taken_or_refused_in_one_line(setting: str) -> None:
    assert "\n" not in refusal(lambda: parse_settings([setting]))


CHANGES = st.sampled_from(
    [
        ("nodeGroups.general.nodes.max", "9"),
        ("nodeGroups[0].name", "other"),
        ("nodeGroups.other.maxPods", "20"),
        ("nodeGroups.general", None),
        ("vpc.subnets.a", None),
        ("vpc.subnets[0].name", "b"),
        ("vpc.subnets.b.used", "7"),
        ("vpc.subnets[+]", {"name": "c", "zone": "us-east-1c", "cidr": "10.0.2.0/24"}),
        ("vpc.subnets.c.used", "8"),
        ("vpc.cidrs[10.0.0.0/16]", "10.0.0.0/15"),
        ("vpc.cidrs[+]", "100.64.0.0/16"),
        ("cni.env.MAX_ENI", "3"),
        ("cni", None),
        ("workloads.web", {"name": "api", "replicas": "3"}),
        ("workloads.api.replicas", "4"),
    ]
)


@given(st.lists(CHANGES, max_size=8, unique_by=lambda change: change[0]))
def test_changes_together_are_the_changes_one_after_the_other(changes: list[tuple[str, object]]) -> None:
    # One at a time nothing is remembered of where names stand, and nothing can be shared with an earlier change.
    before, step = document(), document()
    problem = ""
    for path, value in changes:
        problem = problem or refusal(partial(apply_patch, step, {path: value}))
        step = step if problem else apply_patch(step, {path: value})
    assert refusal(lambda: apply_patch(before, dict(changes))) == problem
    if not problem:
        together = apply_patch(before, dict(changes))
        assert together == step
        assert lines_of(together) == lines_of(step)
    assert before == document()
    assert lines_of(before) == lines_of(document())


def lines_of(value: object) -> object:
    """The lines that a document remembers, in its own shape."""
    own = (getattr(value, "line", None), getattr(value, "lines", None))
    if isinstance(value, dict):
        return own, {k: lines_of(v) for k, v in value.items()}
    return (own, [lines_of(v) for v in value]) if isinstance(value, list) else None
