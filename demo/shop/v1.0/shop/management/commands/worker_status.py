"""`worker_status`: does the worker answer, and is it idle?"""

import time
from typing import Any

from celery.exceptions import TimeoutError as NoAnswer
from django.core.management.base import BaseCommand, CommandError, CommandParser
from kombu.exceptions import OperationalError

from orders import tasks
from orders.models import Order
from shop.celery import app


class Command(BaseCommand):
    help = "Exit 0 when the worker answers a job; with --idle N, when it has nothing left to do within N seconds."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--timeout", type=float, default=5, metavar="SECONDS")
        parser.add_argument("--idle", type=float, metavar="SECONDS")

    def handle(self, *, timeout: float, idle: float | None, **options: Any) -> None:
        try:
            self.ask(timeout) if idle is None else self.await_idle(idle)
        except OperationalError as error:
            raise CommandError(f"the broker does not answer: {error}") from None

    def ask(self, timeout: float) -> None:
        """A job goes through the queue and its answer comes back."""
        answer = tasks.ping.apply_async(expires=timeout)
        try:
            pid = answer.get(timeout=timeout, interval=0.05)
        except NoAnswer:
            raise CommandError(f"no worker answered within {timeout:g} s: see logs/worker.log") from None
        finally:
            answer.forget()
        self.stdout.write(f"worker answers (pid {pid}), {messages_waiting()} jobs wait")

    def await_idle(self, limit: float) -> None:
        """Every job is taken and every order has had its job; orders whose message was lost get a new one."""
        until = time.monotonic() + limit
        requeue_at = time.monotonic() + limit / 3
        while True:
            jobs, orders = messages_waiting(), Order.objects.waiting().count()
            if not jobs and not orders:
                break
            if time.monotonic() > until:
                raise CommandError(f"not idle after {limit:g} s: {jobs} jobs and {orders} orders wait")
            if not jobs and time.monotonic() > requeue_at:
                tasks.requeue_waiting_orders()
                requeue_at = until
            time.sleep(0.05)
        self.stdout.write("idle: no job and no order waits")


def messages_waiting() -> int:
    """Messages in the queue that no worker has taken."""
    with app.connection_for_read() as connection:
        # declared, not looked up: on Redis an empty queue does not exist
        declared = connection.default_channel.queue_declare(app.conf.task_default_queue, durable=True)
    return int(declared.message_count)
