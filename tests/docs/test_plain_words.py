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
    r"\bunlucky\b": "worst-case placement",
    r"\bgoes before\b": "takes precedence over",
    r"\b(does|do) not suffice\b": "is not enough",
    r"\bas well as can be\b": "as well as possible",
    r"\bso many\b": "at most N, that many",
    r"\bwhere none is\b": "if there is none",
    r"\bexcludes? each other\b": "cannot be combined",
    r"\bgiven twice\b": "duplicate NAME",
    r": \{\} is a duplicate\b": "duplicate NAME",
    r"\bha(s|ve) no meaning with\b": "does not apply",
    r"\bof the draws\b|\b(half|all) (of )?the draws\b|\{\} draws\b": "simulations",
    r"\bAll draws\b|\bnumber of draws\b": "simulations",
    r"\bpermitted (instance )?types?\b|\btypes? permitted\b": "allowed type",
    r"\boptions ask for\b": "for the given options",
    r"\bNone where\b": "None if",
    r"\bwhere it is (not )?(set|known|given)\b": "if it is set",
    r"\bwhat (there )?is to be\b": "say what it is: the pods, the text to copy",
    r"\bis no (number|date|statement|command|error)\b": "is not a number",
    r"\bgoes nowhere\b": "is discarded",
    r"\b(a|the) clear word\b": "a clear message",
    r"\bcarr(y|ies) a target\b": "smallest subnets for a target",
    r"\bat its own\b(?! peak)": "leave it out",
    r"\b(what|that) is no (:class:|text|name|whole)": "is not a …",
    r"\bof equals\b": "among equals the first, if two are equal",
    r"\b(what|which) (was|is) asked\b": "the request, the user's choices",
    r"\bdear(er|est)?\b": "expensive, more expensive",
    r"\bmay be (bought|chosen|asked|missing|repeated)\b": "allowed, optional, repeatable",
    r"\bnothing but\b": "only",
    r"\bto stand for\b|\bstands for all\b": "represents",
    r"\b(thereof|therein|whereby|whence|hence|thus)\b": "leave it out",
    r"\bfurther (addresse?s?|ENIs?|instances?|interfaces?|network cards?|nodes?|pods?|subnets?)\b": "additional",
    r"\b(saved|AWS) answers\b": "saved output",
    r"\A\s*The same (of|for|as|with|in|by|from|on|holds|without|but)\b": "say what it is",
    r"\b(cluster|plan|size)s? of today\b": "current cluster, current plan, current size",
    r"\bseed of chance\b": "random seed",
    r"\bEC2 answers (Insufficient|Invalid|Request)": "EC2 returns",
    r"\bpermits instance types\b": "allows instance types",
    r"\b(number of|of) equal (Services|pods|nodes)\b": "identical",
    r"\bcom(e|es|ing) to rest\b": "settle",
    r"\busual machine\b": "typical machine",
    r"\bequally many\b": "the same number of, share equally",
    r"\bsome (seconds?|minutes?|kilobytes|gigabytes|megabytes|\d+)\b": "a few, about",
    r"\bdisturbs?\b": "disrupts",
    r"\bcount alike\b": "count the same",
    r"\bfrom [\w.-]+ on: adds\b": "starting at",
    r"\b(cost|dollars) against addresses\b": "trade-off of cost, addresses and nodes",
    r"\bnothing can be bought\b": "name what fails: no node groups pass the check",
    r"\bthrottles no\b": "no call is throttled",
}

# The same for prose that people write by hand: pages, notebooks, examples and the texts in `data`.
REFUSED_IN_PROSE = {
    r"\bbeside\b": "in addition to, next to",
    r"\bless (AWS|its|the|their|what)\b": "minus",
    r"(?<!\| )\bat once\b": "immediately, at the same time",
    r"\bin all\b(?=[.,;:)])": "in total",
    r"\bwant of\b": "because there is not enough",
    r"\bof (its|his|her|their|our|your) own\b": "separate, dedicated",
    r"\bodd (nodes|ones)\b": "remaining nodes",
    r"\bsaid aloud\b": "reported in the output",
    r"\b(as ever|that is so)\b": "leave it out",
    r"\blies?\b": "is in",
    r"\bstands? (in|beside|above|below|as|where)\b": "is in, replaces",
    r"\bbinds?\b": "limits, is limited by",
    r"\bfurther (addresse?s?|ENIs?|instances?|interfaces?|nodes?|pods?|subnets?)\b": "additional",
    r"\bfresh nodes?\b": "new node",
    r"\bat rest\b": "in the steady state, settled",
    r"\b(is|are) (book|want)ed\b": "count; needed, requested",
    r"\b(asks?|asked) for\b": "needs, requires, requests",
    r"\b(is|are|be) made\b": "is created, is generated",
    r"\bemptiest subnets?\b": "the subnet with the most free addresses",
    r"\bnobody\b": "unknown, not published, not set",
    r"\bcures?\b": "fix",
    r"\d %": "10%, without a space",
    r"\b(the|of|all|most|half|single|fewer|no|in) draws?\b": "simulation",
    r"\bsaved answers?\b|\bEC2's (own )?answers?\b|\bAWS answers\b": "saved output, EC2's response",
    r"(?<!: )\bmade (by|from)\b": "generated by",
    r"\bplays? (a|the|every) (scenario|CNI|loop)": "simulates",
    r"\bno (other )?\w+ but\b": "no … except",
    r"\ban own\b": "a custom, a dedicated",
    r"[,;] else\b": "otherwise",
    r"\bholds? \w+ \w+ against\b": "compare with",
    r"\b(by|of) the ids\b": "IDs",
    r"\breplace \S+ by\b": "replace … with",
    r"\b(neighbour|colour|behaviour|favour|centre|grey|licence)s?\b": "American spelling: neighbor, color, license",
    r"\bpresent (type|setting|target|value)s?\b": "current",
    r"\b(\w+)\. \1\.": "the word twice",
}

# One term per concept (docs/glossary.md): these words mean something that has another name.
ONE_TERM = {
    r"\bhost's network\b": "host network",
    r"(?-i:\b[Dd]aemonsets?\b)": "DaemonSet",
    r"\bleft-over ENIs?\b": "leaked ENI",
    r"\bunplaced\b": "unschedulable",
    r"\bordinary pods?\b": "pods without security groups",
    r"\bwithout a node\b": "unschedulable",
    r"\bhangs?\b(?! in| on)": "is stuck",
    r"(?-i:(?<!\| )\bids?\b)": "ID",
    r"(?-i:\bAWS regions?\b)": "AWS Region",
}

GENERATED = {"cli.md", "fix-cases.md"}  # written from messages


def by_hand(sentence: list_strings.Sentence) -> bool:
    """Whether the sentence is prose that is written by hand, not a message shown in a page."""
    return sentence.file.suffix != ".py" or sentence.file.parent.name == "notebooks"


def refused_in(kind: str) -> list[str]:
    """The sentences of a kind that use a refused form, each with what to write."""
    found = []
    for sentence in list_strings.KINDS[kind]():
        if sentence.file.name == "CONTRIBUTING.md" and sentence.text.startswith("|"):
            continue  # the table of the style sheet itself
        prose = by_hand(sentence) and sentence.file.name not in GENERATED
        forms = REFUSED | REFUSED_IN_PROSE | ONE_TERM if prose else REFUSED
        text = re.sub(r"`[^`]*`|\]\([^)]*\)", "``", sentence.text)  # names, commands and links keep their spelling
        for form, better in forms.items():
            if re.search(form, text, re.IGNORECASE):
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
    files = {sentence.file.name for sentence in seen["pages"]}
    assert {"README.md", "sizing.py", "shop-prod.yaml", "own-types.toml"} <= files


@pytest.mark.parametrize(
    ("text", "better"),
    [("its own address beside the pool", "in addition to"), ("20 % of it", "10%"), ("a daemonset", "DaemonSet")],
)
def test_prose_is_read_and_code_is_not(text: str, better: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [text, f"`{text}`"]
    page = list_strings.ROOT / "docs" / "page.md"
    sentences = [list_strings.Sentence(page, n, line) for n, line in enumerate(lines, 1)]
    monkeypatch.setitem(list_strings.KINDS, "pages", lambda: iter(sentences))
    (found,) = refused_in("pages")
    assert better in found


def test_the_glossary_has_each_term_once() -> None:
    page = (list_strings.ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    terms = [term.strip().lower() for row in re.findall(r"^\| ([^|]+) \|", page, re.M) for term in row.split(",")]
    assert len(terms) > 30
    assert sorted(terms) == sorted(set(terms))
