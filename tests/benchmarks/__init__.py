"""Measured by hand, never asserted: `python -m tests.benchmarks.NAME`."""
