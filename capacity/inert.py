"""Escapes outside text (names, notes, file names) for a terminal, a CI log, Markdown, Slack or XML.

Active characters become escapes or entities, so that a reader still sees the original text.
"""

from __future__ import annotations

import re
import unicodedata

_STEERING = ("Cc", "Cf", "Cs", "Zl", "Zp")
# The runner compares with culture rules, which ignore zero-weight characters outside ASCII.
_LEGACY = re.compile(r"#([^\x20-\x7e\n\r]*)#(?=[^\x20-\x7e\n\r]*\[)")
_COMMAND = re.compile(r"(?<![^\n\r])([^\x21-\x7e\n\r]*):(?=[^\x20-\x7e\n\r]*:[^\n\r]*:[^\x20-\x7e\n\r]*:)")
# The characters that are not in XML 1.0's Char. Compiled on first use, and listed by what is refused: a class of the
# allowed characters takes ten times as long to compile.
_NOT_XML = "[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]"
_MARKS = str.maketrans({c: "\\" + c for c in "\\`*[]|~$"} | {"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_AT_AN_EDGE = re.compile(r"(?<!\w)_|_(?!\w)|^#")  # inside a word _ has no effect, and # only at the start of a line
# A mention, mail address, issue number, URL or host name is split by a zero-width space.
_LINKS = re.compile(r"@(?=\w)|#(?=\d)|:(?=//)|\bwww(?=\.)", re.IGNORECASE)
_PARTED = "&#8203;"
_SLACK_MARKS = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_SLACK_LINKS = re.compile(r"[@#](?=\w)|:(?=//)|\bwww(?=\.)|^(?=>)|`(?=`)", re.IGNORECASE)


def printable(text: str) -> str:
    """One line that cannot control a terminal: control and bidirectional characters are shown as escapes.

    >>> printable("web\\n\\x1b[2J")
    'web\\\\u000a\\\\u001b[2J'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(f"\\u{ord(c):04x}" if unicodedata.category(c) in _STEERING else c for c in text)


def log_text(text: str) -> str:
    """Lines that a CI log shows and GitHub's runner does not run as commands.

    Other lines do not change. After ``##`` the runner looks for a command anywhere in a line.

    >>> log_text("::error::x"), log_text("name ##[error]x"), log_text("::/0 is IPv6's default route")
    ('\\\\u003a:error::x', 'name #\\\\u0023[error]x', "::/0 is IPv6's default route")

    Source
    ------
    actions/runner@079cdb1 src/Runner.Common/ActionCommand.cs, TryParseV2 (``::`` at the start of a line, space before
    it dropped) and TryParse (``##[`` anywhere).
    """
    if "##" not in text and "::" not in text and text.isascii():
        return text
    return _COMMAND.sub(r"\1\\u003a", _LEGACY.sub(r"#\1\\u0023", text))


def log_line(text: str) -> str:
    """One line of a log: printable, and never a command.

    >>> log_line("x\\n::error::y")
    'x\\\\u000a::error::y'
    """
    return log_text(printable(text))


def markdown_text(text: str) -> str:
    """One line that Markdown shows literally: no markup, table cell, HTML, link, mention or reference.

    >>> markdown_text("<b>a|b</b> [x](y) @team #12 https://x.y _z_ A_B")
    '&lt;b&gt;a\\\\|b&lt;/b&gt; \\\\[x\\\\](y) @&#8203;team #&#8203;12 https:&#8203;//x.y \\\\_z\\\\_ A_B'

    Source
    ------
    GitHub Flavored Markdown 0.29, 6.9 "Autolinks (extension)" (github.github.com/gfm, read 2026-11-30).
    Mentions, issue numbers and, in some renderers, links are found in the finished page, where an escape has no effect:
    a zero-width space splits them.
    """
    text = _AT_AN_EDGE.sub(r"\\\g<0>", printable(text).translate(_MARKS))
    return _LINKS.sub(rf"\g<0>{_PARTED}", text)


def slack_text(text: str) -> str:
    """One line that mentions nobody in Slack, links nothing and quotes nothing; ``*bold*`` is left to the caller.

    >>> slack_text("<!channel> @here R&D #general"), slack_text("> quoted").startswith("&gt;")
    ('&lt;!channel&gt; @\u200bhere R&amp;D #\u200bgeneral', False)

    Source
    ------
    docs.slack.dev, "Formatting message text" (``&``, ``<`` and ``>`` are escaped, nothing else) and "Text object"
    (``verbatim`` false, the default, makes links of URLs, names of channels and some mentions).
    """
    return _SLACK_LINKS.sub("\\g<0>\u200b", printable(text)).translate(_SLACK_MARKS)


def markdown_code(text: str) -> str:
    """Text as inline Markdown code that cannot be closed from inside."""
    return f"`{printable(text).replace('`', '')}`"


def xml_text(text: str) -> str:
    """Text with the characters that XML 1.0 forbids escaped; the writer escapes markup."""
    return re.sub(_NOT_XML, lambda m: f"\\u{ord(m.group()):04x}", text)


def xml_log(document: str) -> str:
    """The XML document with every GitHub runner command written as a character reference.

    A newline inside a text also starts a line.
    """
    return _COMMAND.sub(r"\1&#58;", _LEGACY.sub(r"#\1&#35;", document))
