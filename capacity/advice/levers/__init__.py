"""Levers: one change of a plan each."""
