"""How plans are written: quoting, one line or several, comments at their places, and edits of a text that is there."""

from __future__ import annotations

import pytest

from capacity.plan.document import parse_plan_file, parse_yaml
from capacity.plan.patch import parse_settings, patched_text
from capacity.plan.yaml_writer import WIDTH, edited, editor_for, flow, one_line, plan_lines, scalar, short_on_one_line


def written(document: dict[str, object], **notes: str) -> list[str]:
    return list(plan_lines(document, {path.replace("__", "."): [text] for path, text in notes.items()}))


class TestNewPlans:
    def test_what_fits_stands_on_one_line(self) -> None:
        assert written({"metadata": {"name": "x", "size": 1}, "vpc": {"cidrs": ["10.0.0.0/16"]}}) == [
            "metadata: {name: x, size: 1}",
            "vpc:",
            "  cidrs: [10.0.0.0/16]",
        ]

    @pytest.mark.parametrize(("room", "lines"), [(0, 1), (-1, 2)])
    def test_the_width_is_the_last_column_in_use(self, room: int, lines: int) -> None:
        text = "a" * (WIDTH - len("metadata: {name: }") - room)
        found = written({"metadata": {"name": text}})
        assert len(found) == lines
        assert max(map(len, found)) <= WIDTH

    def test_a_long_list_is_wrapped(self) -> None:
        names = [f"name-{i:03}" for i in range(40)]
        found = written({"subnets": names})
        assert found[0] == "subnets:"
        assert found[1].startswith("  [name-000, name-001,")
        assert max(map(len, found)) <= WIDTH
        assert parse_yaml("\n".join(found), "x") == {"subnets": names}

    def test_comments_stand_before_their_places(self) -> None:
        document: dict[str, object] = {"nodeGroups": [{"name": "g", "maxPods": 30}], "region": "eu-west-1"}
        notes = {"nodeGroups[g].maxPods": ["why"], "region": ["a\nb"], "nodeGroups": ["all"]}
        assert list(plan_lines(document, notes)) == [
            "# all",
            "nodeGroups:",
            "  # why",
            "  - {name: g, maxPods: 30}",
            "# a\\u000ab",
            "region: eu-west-1",
        ]

    @pytest.mark.parametrize(
        "text", ["", "no", "NULL", "1.30", "1", "5xlarge", "a: b", "#", "- x", " a", "é", "a\tb", "\x85", "'", '"\\']
    )
    def test_quoted_text_reads_as_it_was(self, text: str) -> None:
        assert scalar(text)[0] == '"' or text.isascii()
        assert parse_yaml(f"a: {scalar(text)}", "x") == {"a": text}
        assert parse_yaml(f"a: {flow([text, {'k': text}])}", "x") == {"a": [text, {"k": text}]}


class TestEdits:
    TEXT = "# head\nmetadata: {name: 'x'}  # keep\nworkloads:\n- name: a\n  replicas: 1 # one\n"

    def test_comments_quotes_and_indents_stay(self) -> None:
        yaml = editor_for(self.TEXT)
        assert edited(yaml, yaml.load(self.TEXT)) == self.TEXT

    def test_what_is_put_in_is_quoted_as_in_new_plans(self) -> None:
        plan = parse_plan_file(b"region: eu-west-1\n", "plan.yaml")
        patch = parse_settings(["kubernetes.version='1.30'", "metadata={name: 'no', labels: [2048-app, a]}"])
        assert patched_text(plan, patch) == (
            'region: eu-west-1\nkubernetes:\n  version: "1.30"\nmetadata: {name: "no", labels: ["2048-app", a]}\n'
        )

    def test_the_variables_of_the_cni_are_text(self) -> None:
        plan = parse_plan_file(b"region: eu-west-1\n", "plan.yaml")
        assert patched_text(plan, {"cni.env": {"WARM_IP_TARGET": 2, "AWS_VPC_K8S_CNI_LOGLEVEL": "DEBUG"}}) == (
            'region: eu-west-1\ncni:\n  env: {WARM_IP_TARGET: "2", AWS_VPC_K8S_CNI_LOGLEVEL: "DEBUG"}\n'
        )

    def test_long_parts_are_spread_where_only_short_ones_share_a_line(self) -> None:
        value = {"name": "a", "subnets": ["x" * 30] * 4}
        yaml = editor_for("")
        assert edited(yaml, {"k": one_line(value)}).count("\n") == 1
        assert edited(yaml, {"k": short_on_one_line(value)}).count("\n") > 4
