"""Orders know what they cost."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0001_initial")]
    operations = [migrations.AddField("order", "total_cents", models.PositiveIntegerField(null=True))]
