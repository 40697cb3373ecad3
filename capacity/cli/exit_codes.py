"""Exit codes of the command that no verb returns."""

UNFORESEEN = 70  # EX_SOFTWARE of sysexits(3): never the code of a verdict
INTERRUPTED = 130  # 128 + SIGINT, as shells count
