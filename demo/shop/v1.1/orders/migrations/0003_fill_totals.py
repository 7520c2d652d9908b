"""Orders placed before cost what they cost then: price times quantity."""

from django.db import migrations
from django.db.models import F, OuterRef, Subquery


def fill(apps, schema_editor):
    Order, Product = apps.get_model("orders", "Order"), apps.get_model("orders", "Product")
    price = Product.objects.filter(id=OuterRef("product_id")).values("price_cents")[:1]
    Order.objects.filter(total_cents=None).update(total_cents=F("quantity") * Subquery(price))


class Migration(migrations.Migration):
    dependencies = [("orders", "0002_order_total")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
