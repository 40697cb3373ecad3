"""A change of the CNI's variables, as a patch of the plan and as commands."""

from __future__ import annotations

from collections.abc import Mapping

from capacity.plan.model import Plan


def env(plan: Plan, change: Mapping[str, str | None]) -> tuple[dict[str, object], tuple[str, ...]]:
    """Patch of the plan and commands for a change of the CNI's variables."""
    from capacity.advice.snippets.settings import env_snippets

    return {f"cni.env.{name}": value for name, value in change.items()}, env_snippets(
        change, plan.cni.env, plan.cni.config_map
    )
