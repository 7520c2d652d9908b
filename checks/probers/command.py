"""Kind `command`: a short bash command in the environment's folder, by its exit code and output."""

import asyncio
import time
from decimal import Decimal, InvalidOperation

from checks.gates.process import capture
from checks.probers.base import Answer, Question, answer, error, failed, problem, shape_problems
from checks.problems import Problem

LONGEST = 64 * 1024
NOT_STARTED, TIMED_OUT = 127, 124


class CommandProber:
    """Target: the command, run with the environment's variables and nothing else. Passes with exit code 0."""

    fields = ("EXIT", "OUTPUT", "VALUE", "RESPONSE_TIME")
    options: dict[str, type] = {}
    conditions = ("[EXIT] == 0",)

    def problems(self, question: Question) -> list[Problem]:
        """Also an empty command."""
        found = shape_problems(question, self)
        if not question.target.strip():
            found.append(
                problem("the target is empty", "write the bash command to run", "target", "probe-target")
            )
        return found

    async def ask(self, question: Question) -> Answer:
        """FAILED when it takes too long; OUTPUT: its first 64 KiB; VALUE: that, if it is one number."""
        started = time.monotonic()
        captured = await asyncio.to_thread(
            capture,
            ["bash", "-o", "pipefail", "-c", question.target],
            cwd=question.folder or ".",
            env=question.variables,
            timeout=question.timeout,
        )
        elapsed = (time.monotonic() - started) * 1000
        if captured.code == NOT_STARTED and captured.err.startswith("cannot start"):
            return error(captured.err, elapsed_ms=elapsed)
        if captured.code == TIMED_OUT and elapsed >= question.timeout * 1000:
            return failed(f"{question.target}: not done within {question.timeout:g} s", elapsed_ms=elapsed)
        output = captured.out[:LONGEST]
        facts = {
            "EXIT": captured.code,
            "OUTPUT": output,
            **_value(output),
            "RESPONSE_TIME": round(elapsed, 3),
        }
        return answer(question, facts, elapsed_ms=elapsed, conditions=self.conditions)


def _value(output: str) -> dict[str, object]:
    try:
        value = Decimal(output.strip())
    except InvalidOperation:
        return {}
    return {"VALUE": value} if value.is_finite() else {}
