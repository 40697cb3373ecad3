"""The report of one plan of a fleet, with the clusters in its subnets."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from typing import Any

from capacity.advice.judge import check_with_findings
from capacity.fleet.check_row import row_of
from capacity.fleet.subject import Subject
from capacity.fleet.unit import Row


def report_row(subject: Subject, options: Mapping[str, Any]) -> Row:
    """The row of the check, and the report as HTML under ``report``, without a search for fixes.

    ``options``: ``scenarios``, ``horizon``, ``as_of`` (a day), and ``command``, which generates the reports again.
    """
    from capacity import __version__
    from capacity.pages.html import render_html
    from capacity.pages.report_material import gather
    from capacity.pages.report_page import report_page

    result, found = check_with_findings(subject.plan, options.get("scenarios") or None, subject.reuse)
    sha256 = hashlib.sha256(subject.text.data).hexdigest()
    day = date.fromisoformat(options["as_of"])
    material = gather(result, options["command"], day, sha256, options["horizon"])
    return row_of(result, found) | {"report": render_html(report_page(material), __version__)}
