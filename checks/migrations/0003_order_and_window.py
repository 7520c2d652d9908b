import django.db.models.deletion
from django.db import migrations, models

import checks.models.environments


class Migration(migrations.Migration):

    dependencies = [
        ('checks', '0002_hosts'),
    ]

    operations = [
        migrations.AddField(
            model_name='environment',
            name='after',
            field=models.ForeignKey(blank=True, help_text='the same commit and runbook must have succeeded there first', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='promotes_to', to='checks.environment'),
        ),
        migrations.AddField(
            model_name='environment',
            name='window',
            field=models.CharField(blank=True, help_text='when deployments may start: Mon-Thu 09:00-17:00 Europe/Berlin; Fri 09:00-12:00 Europe/Berlin', max_length=300, validators=[checks.models.environments.check_window]),
        ),
        migrations.AddConstraint(
            model_name='environment',
            constraint=models.CheckConstraint(condition=models.Q(('after__isnull', True), models.Q(('after', models.F('id')), _negated=True), _connector='OR'), name='environment_not_after_itself', violation_error_message='an environment does not come after itself'),
        ),
    ]
