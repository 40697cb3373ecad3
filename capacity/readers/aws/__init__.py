"""Read AWS: answers of its API, live or from a folder."""
