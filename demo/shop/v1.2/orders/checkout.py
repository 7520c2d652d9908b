"""Placing an order."""

import fcntl
import logging
import time
from typing import Any

import shop_pricing
from django.conf import settings
from django.db import transaction
from kombu.exceptions import OperationalError

from orders import tasks
from orders.models import Order, Product

LOYALTY_EVERY = 5

logger = logging.getLogger(__name__)


def place(product: Product, *, quantity: int) -> Order:
    """Store the order and ring for its job."""
    total = shop_pricing.total(product.price_cents, quantity=quantity)
    ask_for_loyalty_points()
    with transaction.atomic():
        order = Order.objects.create(product=product, quantity=quantity, total_cents=total)
    ring_for(order)
    return order


def ask_for_loyalty_points() -> None:
    """New in v1.2, and bad: a slow question in the middle of a checkout, and every fifth order gets no answer."""
    time.sleep(0.15)
    if _count_attempt() % LOYALTY_EVERY == 0:
        raise RuntimeError("the points service did not answer")


def _count_attempt() -> int:
    with (settings.RUN_DIR / "loyalty-attempts").open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        count = int(file.read() or 0) + 1
        file.truncate(0)
        file.write(str(count))
        file.flush()
    return count


def ring_for(order: Order) -> None:
    """Queue the order's job. Without a broker the order stands all the same: the sweep finds it later."""
    try:
        tasks.confirm_order.delay(str(order.id))
    except (OperationalError, OSError):
        logger.exception("order %s waits: the broker did not take its job", order.id)


def as_json(order: Order) -> dict[str, Any]:
    """What the API says of an order."""
    return {
        "id": str(order.id),
        "product": order.product.slug,
        "quantity": order.quantity,
        "total_cents": order.total_cents,
        "status": order.status,
        "created_at": order.created_at.isoformat(),
    }
