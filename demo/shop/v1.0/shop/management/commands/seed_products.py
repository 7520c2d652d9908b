"""`seed_products`: the assortment of a new shop."""

from typing import Any

from django.core.management.base import BaseCommand

from orders.models import Product

ASSORTMENT = [
    ("tea-pot", "Tea pot", 3400),
    ("tea-cup", "Tea cup", 900),
    ("green-tea", "Green tea, 100 g", 750),
    ("black-tea", "Black tea, 100 g", 650),
    ("strainer", "Tea strainer", 1200),
    ("honey", "Lime blossom honey", 820),
]


class Command(BaseCommand):
    help = "Put six products on the shelves; again changes nothing."

    def handle(self, **options: Any) -> None:
        for slug, title, price in ASSORTMENT:
            Product.objects.get_or_create(
                slug=slug, defaults={"title": title, "price_cents": price, "stock": 100_000}
            )
        self.stdout.write(f"{Product.objects.count()} products")
