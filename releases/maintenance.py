"""Gantry's own maintenance mode as a row: shared by all processes, emptied by no cache clearing."""

import time

from maintenance_mode.backends import AbstractStateBackend

from releases.models import MaintenanceState

REMEMBERED = 1.0


class RowBackend(AbstractStateBackend):
    """The state backend of django-maintenance-mode; a process remembers the row for at most a second."""

    _seen: tuple[float, bool] = (float("-inf"), False)

    def get_value(self) -> bool:
        """Is Gantry itself under maintenance?"""
        at, value = RowBackend._seen
        if time.monotonic() - at > REMEMBERED:
            value = MaintenanceState.objects.filter(pk=1, is_on=True).exists()
            RowBackend._seen = (time.monotonic(), value)
        return value

    def set_value(self, value: bool) -> None:
        """Write the row; other processes see it within a second."""
        MaintenanceState.objects.update_or_create(pk=1, defaults={"is_on": value})
        RowBackend._seen = (time.monotonic(), value)
