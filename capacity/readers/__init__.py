"""Outside formats in, plans out: one module per source, nothing of ours leaves through here."""
