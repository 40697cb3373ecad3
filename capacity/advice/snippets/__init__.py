"""What to paste: commands and code for a change."""
