"""Outside formats as drafts of a plan: one module per source."""
