"""Expressions of Terraform: the values of its documentation, or unknown."""

from __future__ import annotations

from typing import Any

import pytest

from capacity.readers.terraform.expression import Scope, evaluate, evaluate_template
from capacity.readers.terraform.functions import FUNCTIONS
from capacity.readers.terraform.value import UNKNOWN, Encoded, Open, OpenList, Unknown, known_parts

ROOTS: dict[str, Any] = {
    "local": {"azs": ["a", "b", "c"], "cidr": "10.0.0.0/16", "nested": [{"ids": ["x", "y"]}, {"ids": ["z"]}]},
    "var": {"big": True, "size": 3},
    "some": Open({"a": 1}),
    "zones": OpenList(["eu-west-1a", "eu-west-1b", "eu-west-1c"]),
}


def look(name: str, _: Scope) -> Any:
    return ROOTS.get(name, UNKNOWN)


# Of each function what its page shows: developer.hashicorp.com/terraform/language/functions
# (hashicorp/terraform website/docs/language/functions, read 2026-11-30), and the values of the cty library.
OF_THE_DOCUMENTATION = [
    ("abs(-12.4)", 12.4),
    ('base64decode("SGVsbG8gV29ybGQ=")', "Hello World"),
    ('base64encode("Hello World")', "SGVsbG8gV29ybGQ="),
    ("ceil(5.1)", 6),
    ('cidrhost("10.12.112.0/20", 16)', "10.12.112.16"),
    ('cidrhost("10.12.112.0/20", 268)', "10.12.113.12"),
    ('cidrhost("10.0.0.0/8", -2)', "10.255.255.254"),
    ('cidrsubnet("172.16.0.0/12", 4, 2)', "172.18.0.0/16"),
    ('cidrsubnet("10.1.2.0/24", 4, 15)', "10.1.2.240/28"),
    ('cidrsubnets("10.1.0.0/16", 4, 4, 8, 4)', ["10.1.0.0/20", "10.1.16.0/20", "10.1.32.0/24", "10.1.48.0/20"]),
    ('coalesce("a", "b")', "a"),
    ('coalesce("", "b")', "b"),
    ("coalesce(1, 2)", 1),
    ('coalesce(["", "b"]...)', "b"),
    ('coalesce(1, "hello")', "1"),
    ('coalesce(true, "hello")', "true"),
    ('coalescelist(["a", "b"], ["c", "d"])', ["a", "b"]),
    ('coalescelist([], ["c", "d"])', ["c", "d"]),
    ('compact(["a", "", "b", null, "c"])', ["a", "b", "c"]),
    ('concat(["a", ""], ["b", "c"])', ["a", "", "b", "c"]),
    ('contains(["a", "b", "c"], "a")', True),
    ('contains(["a", "b", "c"], "d")', False),
    ('distinct(["a", "b", "a", "c", "d", "b"])', ["a", "b", "c", "d"]),
    ('element(["a", "b", "c"], 3)', "a"),
    ('element(["a", "b", "c"], length(["a", "b", "c"])-1)', "c"),
    ('endswith("hello world", "world")', True),
    ('flatten([["a", "b"], [], ["c"]])', ["a", "b", "c"]),
    ('flatten([[["a", "b"], []], ["c"]])', ["a", "b", "c"]),
    ("floor(4.9)", 4),
    ('format("Hello, %s!", "Ander")', "Hello, Ander!"),
    ('format("There are %d lights", 4)', "There are 4 lights"),
    ('join("-", ["foo", "bar", "baz"])', "foo-bar-baz"),
    ('jsondecode("{\\"hello\\": \\"world\\"}")', {"hello": "world"}),
    ('jsonencode({"hello"="world"})', '{"hello":"world"}'),
    ('keys({"a" = 1, "c" = 2, "d" = 3})', ["a", "c", "d"]),
    ('length({"a" = "b"})', 1),
    ('length("hello")', 5),
    ('lookup({a="ay", b="bee"}, "a", "what?")', "ay"),
    ('lookup({a="ay", b="bee"}, "c", "what?")', "what?"),
    ('lower("HELLO")', "hello"),
    ("max(12, 54, 3)", 54),
    ("max([12, 54, 3]...)", 54),
    ('merge({a="b", c="d"}, {e="f", c="z"})', {"a": "b", "c": "z", "e": "f"}),
    ('merge({a="b"}, {a=[1,2], c="z"}, {d=3})', {"a": [1, 2], "c": "z", "d": 3}),
    ("min(12, 54, 3)", 3),
    ("one([])", None),
    ('one(["hello"])', "hello"),
    ("range(1, 8, 2)", [1, 3, 5, 7]),
    ("range(4, 1)", [4, 3, 2]),
    ("range(10, 5, -2)", [10, 8, 6]),
    ('replace("1 + 2 + 3", "+", "-")', "1 - 2 - 3"),
    ("reverse([1, 2, 3])", [3, 2, 1]),
    ('slice(["a", "b", "c", "d"], 1, 3)', ["b", "c"]),
    ('sort(["e", "d", "a", "x"])', ["a", "d", "e", "x"]),
    ('split(",", "foo,bar,baz")', ["foo", "bar", "baz"]),
    ('split(",", "")', [""]),
    ('startswith("hello world", "hello")', True),
    ('tolist(["a", "b", 3])', ["a", "b", "3"]),
    ('tomap({"a" = "foo", "b" = true})', {"a": "foo", "b": "true"}),
    ('tonumber("1")', 1),
    ('toset(["a", "b", 3])', ["3", "a", "b"]),
    ('toset(["c", "b", "b"])', ["b", "c"]),
    ("tostring(1)", "1"),
    ("tostring(true)", "true"),
    ('trimprefix("helloworld", "hello")', "world"),
    ('trimsuffix("helloworld", "world")', "hello"),
    ('upper("hello")', "HELLO"),
    ("values({a=3, c=2, d=1})", [3, 2, 1]),
    ('yamldecode("hello: world")', {"hello": "world"}),
    ('yamldecode("{a: &foo [1, 2, 3], b: *foo}")', {"a": [1, 2, 3], "b": [1, 2, 3]}),
    ('zipmap(["a", "b"], [1, 2])', {"a": 1, "b": 2}),
]

# Operators, types and templates: developer.hashicorp.com/terraform/language/expressions, hashicorp/hcl
# hclsyntax/spec.md.
OF_THE_LANGUAGE = [
    ("0.1 + 0.2 == 0.3", True),
    ("local.nested[*].ids[0]", ["x", "z"]),
    ("local.nested.*.ids[0]", ["x", "y"]),
    ("local.nested[*].ids", [["x", "y"], ["z"]]),
    ('[for k, v in toset(["b", "a"]) : k]', ["a", "b"]),
    ('true ? 1 : "a"', "1"),
    ("var.big ? 1 : 2", 1),
    ('"${1}"', 1),
    ('"${1}${""}"', "1"),
    ('"$${a} %%{b}"', "${a} %{b}"),
    ('"a\\u00e9\\tb"', "aé\tb"),
    ("some.a", 1),
    ("some == null", False),
    ('distinct([1, true, 1])', ["1", "true"]),
    ("slice(zones, 0, 2)", ["eu-west-1a", "eu-west-1b"]),
    ("zones[1]", "eu-west-1b"),
    ("element(zones, 2)", "eu-west-1c"),
    ('tonumber("1e3")', 1000),
]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), OF_THE_DOCUMENTATION + OF_THE_LANGUAGE)
def test_a_value_is_the_documented_one(text: str, value: Any) -> None:
    found = known_parts(evaluate(text, look))
    assert found == value
    assert repr(found) == repr(value)


def test_every_function_has_a_documented_case() -> None:
    named = " ".join(text for text, _ in OF_THE_DOCUMENTATION)
    assert [name for name in FUNCTIONS if f"{name}(" not in named] == []


@pytest.mark.parametrize(
    "text",
    [
        'replace("a.b", "/\\./", "-")',  # a regular expression
        "1 / 3 == 0.33 ? tostring(1 / 3) : tostring(1 / 3)",  # as many digits as Terraform has
        'tonumber("1_000")',
        'tonumber(" 1")',
        'tonumber("inf")',
        'cidrsubnets("10.0.0.0/24", 1, 1, 1)',
        'cidrsubnet("10.0.0.0/16", true, 1)',
        "some.b",
        'lookup(some, "b", 5)',
        "merge(some, {c = 1}).d",
        "keys(some)",
        "[for k, v in some : k]",
        "some == {a = 1}",
        "length(zones)",
        "zones[7]",
        "element(zones, 4)",
        "[for z in zones : z]",
        "zones[*]",
        'flatten([["a"], data.x])',
        "compact([data.x])",
        "distinct([data.x, 1])",
        "jsonencode({a = data.x})",
        'toset(["a"])[0]',
        'element(toset(["a"]), 0)',
        "range(1, 4, -1)",
        'upper("straße")',
        '"%{ if true }a%{ endif }"',
        '"${~ 1 ~} a"',
        'format("%s")',
        'format("%#v", 1)',
        'coalesce({}, "hello")',
        "yamlencode({a = 1})",
        'file("a.txt")',
        "timestamp()",
    ],
)
def test_anything_else_is_unknown(text: str) -> None:
    assert isinstance(evaluate(text, look), Unknown)


def test_encoded_yaml_has_a_content_and_no_text() -> None:
    found = evaluate('yamlencode({kind = "NodePool"})', look)
    assert isinstance(found, Encoded)
    assert found.content == {"kind": "NodePool"}
    assert isinstance(evaluate('"a${yamlencode(1)}"', look), Unknown)


def test_templates_without_quotes() -> None:
    assert evaluate_template('kind: "x" # ${local.cidr}\n', look) == 'kind: "x" # 10.0.0.0/16\n'
    assert evaluate_template("a\\n", look) == "a\\n"
    assert isinstance(evaluate_template("${data.x} b", look), Unknown)
    assert evaluate_template("%{ for a in b }", look) is UNKNOWN


def test_numbers_stay_within_the_precision_of_terraform() -> None:
    text = "1000000000000"
    for _ in range(8):
        text = f"({text}) * ({text})"
    assert evaluate(text, look) is UNKNOWN
