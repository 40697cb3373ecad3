"""Snippets: commands and code for a change."""
