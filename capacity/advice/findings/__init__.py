"""Findings: what is wrong or needs attention, each with a code, its evidence and a source."""
