"""Words and forms that the style sheet in CONTRIBUTING.md replaces do not come back."""

from __future__ import annotations

import re

import pytest

from tools import list_strings

# A form that is refused, and what to write instead (CONTRIBUTING.md, "Plain English").
REFUSED = {
    r"\bstands? twice\b": "duplicate",
    r"\bgravest\b": "worst",
    r"\bfinds? no node\b": "unschedulable",
    r"\breckon(s|ed|ing)?\b": "assume, count, compute",
    r"\bmend(s|ed|ing)?\b": "fix, resolve",
    r"\bspoil(s|ed|t)?\b": "break up, use up",
    r"\bnobody (states|says|publishes|gives)\b": "unknown, not published",
    r"\bas (the )?pods (and nodes )?may fall\b": "depending on placement",
    r"\bof those wanted\b": "of the N requested",
    r"\bfor ever\b": "forever",
    r"\banew\b": "again",
    r"\blikewise\b": "also, in the same way",
    r"\bis said so\b": "is called out",
    r"\bhow surely\b": "how confident",
    r"\bunlucky (spread|way)\b": "worst-case placement",
    r"\bgoes before\b": "takes precedence over",
    r"\b(does|do) not suffice\b": "is not enough",
    r"\bas well as can be\b": "as well as possible",
    r"\bso many\b": "at most N, that many",
    r"\bwhere none is\b": "if there is none",
    r"\A\s*The same (of|for|as|with|in|by|from|on|holds|without|but)\b": "say what it is",
}


def refused_in(kind: str) -> list[str]:
    """The sentences of a kind that use a refused form, each with what to write."""
    found = []
    for sentence in list_strings.KINDS[kind]():
        if sentence.file.name == "CONTRIBUTING.md" and sentence.text.startswith("|"):
            continue  # the table of the style sheet itself
        for form, better in REFUSED.items():
            if re.search(form, sentence.text, re.IGNORECASE):
                found.append(f"{sentence}   [{form}: write {better}]")
    return found


@pytest.mark.parametrize("kind", list(list_strings.KINDS))
def test_no_sentence_uses_a_refused_form(kind: str) -> None:
    assert refused_in(kind) == []


def test_the_lister_sees_messages_docstrings_findings_and_pages() -> None:
    seen = {kind: list(list_strings.KINDS[kind]()) for kind in list_strings.KINDS}
    assert any("is not a known instance type" in sentence.text for sentence in seen["messages"])
    assert any(
        sentence.text.startswith("The pool of one node") or "node" in sentence.text for sentence in seen["docstrings"]
    )
    assert any(sentence.text == "Subnet is tight" for sentence in seen["data"])
    assert any(sentence.text.startswith("# Contributing") for sentence in seen["pages"])
