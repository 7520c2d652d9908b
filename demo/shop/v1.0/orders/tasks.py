"""Jobs: one for each order, a sweep for orders whose job was lost, and a ping."""

import os
from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from orders.models import Order, Product
from shop.celery import app

LOST_AFTER = timedelta(seconds=5)


@app.task
def confirm_order(order_id: str) -> None:
    """Reserve stock and confirm; run twice it does nothing the second time."""
    with transaction.atomic():
        if not Order.objects.waiting().filter(id=order_id).update(status=Order.CONFIRMED):
            return
        order = Order.objects.get(id=order_id)
        Product.objects.filter(id=order.product_id).update(stock=F("stock") - order.quantity)


@app.task
def requeue_waiting_orders() -> int:
    """Queue the job again of every order that has waited too long; how many there were."""
    lost = list(Order.objects.waiting().filter(created_at__lt=timezone.now() - LOST_AFTER)[:500])
    for order in lost:
        confirm_order.delay(str(order.id))
    return len(lost)


@app.task(ignore_result=False)
def ping() -> int:
    """The worker's pid: the answer of a worker that works."""
    return os.getpid()
