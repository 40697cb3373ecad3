"""Evaluates max pods as CEL expressions: nodeadm's ``maxPodsExpression``, and Karpenter's alpha gate NodeClassCEL.

Unlike the cel-go of nodeadm and Karpenter, ``cel-python`` does not check types before evaluation. Two checks here cover
the relevant cases: every name must be declared, also in branches that are not taken, and arithmetic does not mix ints
and doubles. Imported only if an expression is given.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from capacity.errors import SpecError

MOST_PODS = 2**31 - 1  # int32, eni_max_pods.go L107-108

NODEADM_VARIABLES = ("default_enis", "ips_per_eni", "max_pods")
KARPENTER_VARIABLES = ("vcpus", "memory_mib", *NODEADM_VARIABLES, "instance_type")

# Karpenter's rounding step of reserved resources, and their units: pkg/cel/environment.go L343-390.
RESOURCE_STEPS = {"cpu": (10, "m"), "memory": (16, "Mi"), "ephemeral-storage": (1, "Gi"), "pid": (1, "")}


def evaluate_expression(expression: str, enis: int, ips_per_eni: int, max_pods: int) -> int:
    """Max pods by a CEL expression over ``default_enis``, ``ips_per_eni`` and ``max_pods``.

    Plain CEL: whole numbers of 64 bits, division truncates, no ``min`` or ``max`` (use ``a < b ? a : b``).
    The result is converted as CEL's ``int()`` does: a double is truncated.

    Raises
    ------
    SpecError
        It does not compile, does not evaluate, or does not give a number from 1 to 2147483647. nodeadm then uses the
        standard value, and the caller reports it.

    Source
    ------
    awslabs/amazon-eks-ami@81fec2e8 nodeadm/internal/kubelet/eni_max_pods.go L66-108.
    Conformance: tests/conformance/cel_expressions.csv.

    Examples
    --------
    >>> evaluate_expression("max_pods < 30 ? max_pods : 30", enis=4, ips_per_eni=15, max_pods=58)
    30
    """
    values = {"default_enis": enis, "ips_per_eni": ips_per_eni, "max_pods": max_pods}
    number = _as_int(_evaluate(expression, values, ()))
    if number is None:
        raise SpecError(f"the expression {expression!r} does not give a number of pods")
    if not 0 < number <= MOST_PODS:
        raise SpecError(f"the expression {expression!r} gives {number}, not a number of pods from 1 to {MOST_PODS}")
    return number


def karpenter_expression(expression: str, variables: Mapping[str, int | str]) -> int:
    """Value of an expression under Karpenter's alpha gate NodeClassCEL, off by default.

    Parameters
    ----------
    expression : str
        CEL over ``vcpus``, ``memory_mib``, ``default_enis``, ``ips_per_eni``, ``max_pods`` and
        ``instance_type``, with ``min`` and ``max`` of two numbers.
    variables : mapping
        Their values; a missing one is 0, or "" for ``instance_type``.

    Returns
    -------
    int
        Doubles are truncated.

    Raises
    ------
    SpecError
        It does not compile, fails, or gives neither an int nor a finite double. Karpenter then drops the type, while
        nodeadm uses the standard value.

    Source
    ------
    aws/karpenter-provider-aws@1d927085 pkg/cel/environment.go L33-51, L343-390; the gate: options.go L73, L96.

    Examples
    --------
    >>> karpenter_expression("min(110, vcpus * 8)", {"vcpus": 2})
    16
    """
    values = {n: variables.get(n, "" if n == "instance_type" else 0) for n in KARPENTER_VARIABLES}
    found = _evaluate(expression, values, ("min", "max"))
    number = None if isinstance(found, str) else _as_int(found)
    if number is None:
        raise SpecError(f"the expression {expression!r} gives neither an int nor a finite double")
    return number


def karpenter_max_pods(expression: str, variables: Mapping[str, int | str]) -> int:
    """The value as max pods: 0 to 2147483647 (nodeadm requires at least 1).

    Raises
    ------
    SpecError
        As :func:`karpenter_expression`, or out of range.

    Source
    ------
    aws/karpenter-provider-aws@1d927085 pkg/providers/instancetype/types.go L197-233.

    Examples
    --------
    >>> karpenter_max_pods("vcpus - vcpus", {"vcpus": 2})
    0
    """
    pods = karpenter_expression(expression, variables)
    if not 0 <= pods <= MOST_PODS:
        raise SpecError(f"the expression {expression!r} gives {pods}, not a number of pods from 0 to {MOST_PODS}")
    return pods


def karpenter_resources(expressions: Mapping[str, str], variables: Mapping[str, int | str]) -> dict[str, str]:
    """kubeReserved or systemReserved from expressions; an expression that fails or is negative is left out.

    CPU is rounded up to whole 10m, memory to whole 16Mi.

    Source
    ------
    aws/karpenter-provider-aws@1d927085 pkg/cel/environment.go L343-390.

    Examples
    --------
    >>> karpenter_resources({"memory": "max_pods * 11", "cpu": "1 / 0"}, {"max_pods": 20})
    {'memory': '224Mi'}
    """
    found = {}
    for name, expression in expressions.items():
        step, unit = RESOURCE_STEPS.get(name, (1, ""))
        try:
            value = karpenter_expression(expression, variables)
        except SpecError:
            continue
        if value >= 0:
            found[name] = f"{-(-value // step) * step}{unit}"
    return found


def _evaluate(expression: str, values: Mapping[str, int | str], extra: tuple[str, ...]) -> Any:
    """The expression's value as the CEL library gives it."""
    from celpy import celtypes
    from celpy.celparser import CELParseError
    from celpy.evaluation import CELEvalError

    given = {n: celtypes.IntType(v) if isinstance(v, int) else celtypes.StringType(v) for n, v in values.items()}
    try:
        return _program(expression, tuple(values), extra).evaluate(given)
    except (CELParseError, CELEvalError, ValueError, TypeError, ArithmeticError, RecursionError) as error:
        raise SpecError(f"the expression {expression!r} cannot be evaluated: {_reason(error)}") from None


@lru_cache(maxsize=64)
def _program(expression: str, names: tuple[str, ...], extra: tuple[str, ...]) -> Any:
    """The expression, compiled once for all types, with its names checked."""
    import celpy

    environment = celpy.Environment()
    tree = environment.compile(expression)
    functions = _functions(extra)
    unknown = _names(tree, "ident") - set(names) | _names(tree, "ident_arg") - _function_names(extra)
    if unknown and not _names(tree, "member_dot_arg"):  # macros such as map(x, …) declare their own names
        raise ValueError(f"undeclared reference to {min(unknown)!r}")
    return environment.program(tree, functions=functions)


def _names(tree: Any, rule: str) -> set[str]:
    return {str(node.children[0]) for node in tree.iter_subtrees() if node.data == rule}


def _function_names(extra: tuple[str, ...]) -> set[str]:
    from celpy.evaluation import base_functions

    macros = {"has", "dyn"}
    return {name for name in base_functions if name.isidentifier()} | macros | set(extra)


@lru_cache(maxsize=4)
def _functions(extra: tuple[str, ...]) -> dict[str, Callable[..., Any]]:
    """Arithmetic between equal types only, and Karpenter's ``min`` and ``max``."""
    from celpy import celtypes
    from celpy.evaluation import base_functions

    def kind(value: Any) -> type:
        return float if isinstance(value, float) else type(value)

    def strict(operation: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        def apply(a: Any, b: Any) -> Any:
            if kind(a) is not kind(b) and float in (kind(a), kind(b)):
                raise TypeError("no overload for int and double")
            result = operation(a, b)
            return celtypes.DoubleType(result) if isinstance(result, float) else result

        return apply

    def of_two(choose: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        def apply(a: Any, b: Any) -> Any:  # a double on either side makes a double
            doubles = isinstance(a, float) or isinstance(b, float)
            return celtypes.DoubleType(choose(float(a), float(b))) if doubles else choose(a, b)

        return apply

    found = {name: strict(base_functions[name]) for name in ("_+_", "_-_", "_*_", "_/_", "_%_")}
    return found | {name: of_two({"min": min, "max": max}[name]) for name in extra}


def _reason(error: Exception) -> str:
    """The reason in a few words: the library's messages quote grammar rules and Python types."""
    text = str(error.args[0] if error.args else error)
    if "undeclared reference" in text:
        name = re.search(r"undeclared reference to '([^']*)'", text)
        return f"undeclared reference to {name[1]!r}" if name else "undeclared reference"
    if "no matching overload" in text or "no overload" in text:
        return "no operation for these types (CEL does not mix ints and doubles)"
    if not text.strip() or "^" in text:
        return "syntax error"
    return text.split("\n")[0][:120]


def _as_int(value: object) -> int | None:
    """CEL's own conversion to int: numbers truncate, digits in a string count, a bool is not a number."""
    from celpy import celtypes

    if isinstance(value, celtypes.BoolType):
        return None
    if isinstance(value, (int, float)):
        return int(value) if abs(value) < 2**63 else None
    try:
        return int(value) if isinstance(value, str) else None
    except ValueError:
        return None
