"""Results as pages: page builders (`*_page.py`) and renderers (terminal, Markdown, …).

Nothing here computes an address. One module per verb, imported when its verb is used.
"""
