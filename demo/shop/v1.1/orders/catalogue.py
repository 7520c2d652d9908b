"""What is on the shelves."""

from typing import Any

import shop_pricing
from django.conf import settings
from django.core.cache import cache
from django.db.models import Sum

from orders.models import Order, Product

CACHE_KEYS = ["products", "recommendations"]


def products() -> list[dict[str, Any]]:
    """Every product as the API shows it; remembered for a second."""
    return cache.get_or_set("products", _products, timeout=1)


def answer() -> dict[str, Any]:
    """The body of /api/products."""
    if not settings.FEATURES["recommendations"]:
        return {"products": products()}
    return {"products": products(), "recommendations": recommendations()}


def recommendations() -> list[dict[str, Any]]:
    """The three products that sell best; remembered for a second."""
    return cache.get_or_set("recommendations", _recommendations, timeout=1)


def _recommendations() -> list[dict[str, Any]]:
    best = Order.objects.order_by().values("product__slug", "product__title").annotate(sold=Sum("quantity"))
    return [
        {"slug": each["product__slug"], "title": each["product__title"]}
        for each in best.order_by("-sold")[:3]
    ]


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
