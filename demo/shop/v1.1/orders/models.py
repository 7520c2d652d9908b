"""Products and orders."""

import uuid

from django.db import models


class Product(models.Model):
    """Something on the shelf; `stock` counts what no confirmed order has taken."""

    slug = models.SlugField(unique=True)
    title = models.CharField(max_length=100)
    price_cents = models.PositiveIntegerField()
    stock = models.IntegerField(default=0)

    class Meta:
        ordering = ["slug"]


class OrderQuerySet(models.QuerySet["Order"]):
    def waiting(self) -> "OrderQuerySet":
        """Orders whose job has not run yet."""
        return self.filter(status=Order.PLACED)


class Order(models.Model):
    """Placed by a visitor, confirmed by the worker. The id is given once and never again, even after a restore."""

    PLACED, CONFIRMED = "placed", "confirmed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    product = models.ForeignKey(Product, on_delete=models.PROTECT)
    quantity = models.PositiveIntegerField()
    total_cents = models.PositiveIntegerField(null=True)
    status = models.CharField(max_length=10, default=PLACED, db_index=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    objects = OrderQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
