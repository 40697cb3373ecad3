"""Results drawn with matplotlib: nothing here computes, every function takes results and returns a Figure."""
