"""Gantry's Celery app with a broker that gives out again, after two seconds, what is not yet done."""

from functools import partialmethod

from kombu.transport.redis import QoS

from config.celery import app

app.conf.task_acks_late = True
app.conf.broker_transport_options = {"visibility_timeout": 2}
# Looked for every ten seconds; kombu's own default is every hundred.
QoS.restore_visible = partialmethod(QoS.restore_visible, interval=1)
