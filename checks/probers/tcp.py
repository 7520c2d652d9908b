"""Kind `tcp`: does a port accept connections, and how fast."""

from checks.errors import UnknownVariable, Unreachable
from checks.gates.net import connect
from checks.probers.base import Answer, Question, answer, error, expanded, failed, problem, shape_problems
from checks.problems import Problem


class TcpProber:
    """Target: `host:port` or `[ipv6]:port`. Passes when the connection stands."""

    fields = ("CONNECTED", "RESPONSE_TIME")
    options: dict[str, type] = {}
    conditions = ("[CONNECTED] == true",)

    def problems(self, question: Question) -> list[Problem]:
        """Also a target without a port."""
        found = shape_problems(question, self)
        if "$" not in question.target and not _address(question.target):
            message = f"target {question.target!r} is not host:port"
            found.append(problem(message, "write for example 127.0.0.1:5432", "target", "probe-target"))
        return found

    async def ask(self, question: Question) -> Answer:
        """FAILED when nothing listens there or nothing answers in time."""
        try:
            address = _address(expanded(question.target, question.variables))
            if not address:
                return error(f"target {question.target!r} is not host:port")
            elapsed = await connect(*address, timeout=question.timeout)
        except UnknownVariable as unknown:
            return error(str(unknown))
        except Unreachable as unreachable:
            return failed(str(unreachable))
        facts = {"CONNECTED": True, "RESPONSE_TIME": round(elapsed, 3)}
        return answer(question, facts, elapsed_ms=elapsed, conditions=self.conditions)


def _address(target: str) -> tuple[str, int] | None:
    host, _, port = target.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        return None
    return host.strip("[]"), int(port)
