"""What is on the shelves."""

from typing import Any

import shop_pricing
from django.core.cache import cache

from orders.models import Product

CACHE_KEYS = ["products"]


def products() -> list[dict[str, Any]]:
    """Every product as the API shows it; remembered for a second."""
    return cache.get_or_set("products", _products, timeout=1)


def answer() -> dict[str, Any]:
    """The body of /api/products."""
    return {"products": products()}


def _products() -> list[dict[str, Any]]:
    return [
        {
            "slug": each.slug,
            "title": each.title,
            "price": shop_pricing.label(each.price_cents),
            "stock": each.stock,
        }
        for each in Product.objects.all()
    ]
