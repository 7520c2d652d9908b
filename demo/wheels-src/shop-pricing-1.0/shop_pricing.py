"""Prices of the demo shop."""


def label(cents: int) -> str:
    """A price as a visitor reads it: 3400 -> 34.00 €."""
    return f"{cents / 100:.2f} €"
