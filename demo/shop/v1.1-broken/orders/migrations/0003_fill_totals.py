"""A migration that fails half-way: 0002 is applied already, this one raises."""

from django.db import migrations


def fill(apps, schema_editor):
    order = apps.get_model("orders", "Order").objects.first()
    raise RuntimeError(f"cannot compute the total of order {getattr(order, 'id', 'none')}")


class Migration(migrations.Migration):
    dependencies = [("orders", "0002_order_total")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
