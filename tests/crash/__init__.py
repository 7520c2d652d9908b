"""A deployment killed at every step, and taken up again: `python -m tests.crash`, `make crash-matrix`."""
