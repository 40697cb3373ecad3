"""Results as pages: what is said of a result (`*_page.py`), and what a page is written as (terminal, Markdown, …).

Nothing here computes an address. One module per verb, imported when its verb is used.
"""
