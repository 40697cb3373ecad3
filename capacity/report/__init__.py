"""The design-review document: results in, HTML, Markdown or a workbook out. Nothing here computes an address."""
