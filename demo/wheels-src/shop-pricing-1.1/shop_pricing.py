"""Prices of the demo shop."""

DOZEN = 12
DISCOUNT_PERCENT = 10


def label(cents: int) -> str:
    """A price as a visitor reads it: 3400 -> 34.00 €."""
    return f"{cents / 100:.2f} €"


def total(cents: int, *, quantity: int) -> int:
    """What an order costs: ten percent less from a dozen on."""
    full = cents * quantity
    return full if quantity < DOZEN else full - full * DISCOUNT_PERCENT // 100
