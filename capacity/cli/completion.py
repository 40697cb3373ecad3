"""`capacity completion`: the script that a shell loads to complete commands with Tab."""

from __future__ import annotations

from typing import Annotated

import typer

from capacity.cli.options import one_of, words

SHELLS = ("bash", "zsh", "fish")
_VARIABLE = "_CAPACITY_COMPLETE"

# Typer's own script for bash expands the answers as patterns, so that nodeGroups[a] could become a file's name, and it
# adds a space after "maxPods=". This one asks in the same way.
_BASH = f"""\
_capacity_completion() {{
    local reply
    COMPREPLY=()
    while IFS= read -r reply; do
        COMPREPLY+=("$reply")
    done < <(IFS=$'\\n'; COMP_WORDS="${{COMP_WORDS[*]}}" COMP_CWORD=$COMP_CWORD {_VARIABLE}=complete_bash "$1")
    if [[ ${{#COMPREPLY[@]}} == 1 && ${{COMPREPLY[0]}} == *[=.] ]]; then
        compopt -o nospace
    fi
}}

complete -o default -F _capacity_completion capacity
"""


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command("completion")(completion)


def completion(
    shell: Annotated[str, typer.Argument(help="bash, zsh or fish.", metavar="SHELL", autocompletion=words(*SHELLS))],
) -> None:
    """Print the completion script of a shell: commands, options, and names from the plan complete with Tab.

    Examples: source <(capacity completion bash) · capacity completion fish | source
    """
    from capacity.cli.output import write_stdout

    write_stdout(script(one_of("SHELL", shell, SHELLS)))


def script(shell: str) -> str:
    """The completion script of a shell."""
    if shell == "bash":
        return _BASH
    from typer._completion_shared import get_completion_script

    return get_completion_script(prog_name="capacity", complete_var=_VARIABLE, shell=shell) + "\n"
