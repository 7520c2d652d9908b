"""Kind `disk`: how much of a folder's file system is free."""

import shutil
from dataclasses import replace

from checks.errors import UnknownVariable
from checks.probers.base import Answer, Question, answer, error, expanded, shape_problems, within
from checks.problems import Problem

MEGABYTE = 10**6


class DiskProber:
    """Target: a folder, seen from the environment's. Without readings of its own: free_percent, free_mb."""

    fields = ("FREE_PERCENT", "FREE_MB", "TOTAL_MB")
    options: dict[str, type] = {}
    conditions = ("[FREE_PERCENT] >= 5",)
    readings = {"free_percent": "[FREE_PERCENT]", "free_mb": "[FREE_MB]"}

    def problems(self, question: Question) -> list[Problem]:
        """Nothing beyond what every kind can have."""
        return shape_problems(question, self)

    async def ask(self, question: Question) -> Answer:
        """ERROR when the folder is not there. Percent and megabytes (10^6) free to unprivileged users."""
        try:
            folder = within(question.folder, expanded(question.target, question.variables))
            usage = shutil.disk_usage(folder)
        except UnknownVariable as unknown:
            return error(str(unknown))
        except OSError as wrong:
            return error(f"folder {question.target or question.folder}: {wrong.strerror}")
        facts = {
            "FREE_PERCENT": round(usage.free / usage.total * 100, 2),
            "FREE_MB": usage.free // MEGABYTE,
            "TOTAL_MB": usage.total // MEGABYTE,
        }
        asked = replace(question, readings=question.readings or self.readings)
        return answer(asked, facts, conditions=self.conditions)
