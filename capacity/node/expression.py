"""nodeadm's ``maxPodsExpression``: a CEL expression over the node's interfaces."""

from __future__ import annotations

from capacity.errors import SpecError

MOST_PODS = 2**31 - 1


def evaluate_expression(expression: str, enis: int, ips_per_eni: int, max_pods: int) -> int:
    """Max pods by a CEL expression over ``default_enis``, ``ips_per_eni`` and ``max_pods``.

    Plain CEL: whole numbers of 64 bits, division truncates, no ``min`` or ``max`` (use ``a < b ? a : b``).

    Raises
    ------
    SpecError
        It does not compile, does not evaluate, or gives no number from 1 to 2147483647. nodeadm then
        falls back to the standard value; the caller says so.

    Source
    ------
    awslabs/amazon-eks-ami@81fec2e8 nodeadm/internal/kubelet/eni_max_pods.go L66-108.

    Examples
    --------
    >>> evaluate_expression("max_pods < 30 ? max_pods : 30", enis=4, ips_per_eni=15, max_pods=58)
    30
    """
    import celpy
    from celpy import celtypes

    names = {"default_enis": enis, "ips_per_eni": ips_per_eni, "max_pods": max_pods}
    try:
        environment = celpy.Environment(annotations=dict.fromkeys(names, celtypes.IntType))
        program = environment.program(environment.compile(expression))
        value = program.evaluate({n: celtypes.IntType(v) for n, v in names.items()})
    except (celpy.CELParseError, celpy.CELEvalError, ValueError, TypeError, ArithmeticError, RecursionError) as error:
        reason = str(error.args[0] if error.args else error).split("\n")[0][:120]
        raise SpecError(f"the expression {expression!r} cannot be evaluated: {reason}") from None
    number = _as_int(value)
    if number is None or not 0 < number <= MOST_PODS:
        raise SpecError(f"the expression {expression!r} gives {value!s}, not a number of pods from 1 to {MOST_PODS}")
    return number


def _as_int(value: object) -> int | None:
    """CEL's own conversion to int: numbers truncate, digits in a string count, a bool is no number."""
    from celpy import celtypes

    if isinstance(value, celtypes.BoolType):
        return None
    if isinstance(value, (int, float)):
        return int(value) if abs(value) < 2**63 else None
    try:
        return int(value) if isinstance(value, str) else None
    except ValueError:
        return None
