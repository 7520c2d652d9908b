"""Placing an order."""

import logging
from typing import Any

from django.db import transaction
from kombu.exceptions import OperationalError

from orders import tasks
from orders.models import Order, Product

logger = logging.getLogger(__name__)


def place(product: Product, *, quantity: int) -> Order:
    """Store the order and ring for its job."""
    with transaction.atomic():
        order = Order.objects.create(product=product, quantity=quantity)
    ring_for(order)
    return order


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
        "status": order.status,
        "created_at": order.created_at.isoformat(),
    }
