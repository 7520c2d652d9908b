"""`run_checks [--environment SERVICE/ENV]`"""

from argparse import ArgumentParser
from typing import Any

from checks.models import Probe
from checks.sampling import sample
from checks.verdicts import Verdict, worst
from releases.errors import WrongUsage
from releases.lifecycle.environments import find as find_environment
from releases.management.base import Command as Base
from releases.management.base import now

MARKS = {Verdict.PASSED: "✓", Verdict.FAILED: "✗", Verdict.INCONCLUSIVE: "?", Verdict.ERROR: "!"}


class Command(Base):
    """Ask the probes now and keep what they answer."""

    help = "Ask every probe of an environment (or of all) now; exit 1 unless all passed."
    examples = "  manage.py run_checks --environment shop/production\n  manage.py run_checks --json"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Place, format."""
        parser.add_argument("--environment", metavar="SERVICE/ENV", help="without it: every environment")
        parser.add_argument("--json", action="store_true")

    def run(self, *, environment: str | None, json: bool, **options: Any) -> int:
        """Ask and print."""
        probes = Probe.objects.select_related("environment__service")
        if environment:
            probes = probes.filter(environment=find_environment(environment))
        if not probes:
            raise WrongUsage(
                f"{environment or 'no environment'} has no probes; add [[environment.probe]] to its TOML"
            )
        pairs = sample(probes, at=now())
        if json:
            self.print_json(
                [
                    {"probe": str(probe), "verdict": answer.verdict, "message": answer.message,
                     "readings": dict(answer.readings), "elapsed_ms": round(answer.elapsed_ms, 1)}
                    for probe, answer in pairs
                ]
            )  # fmt: skip
        else:
            for probe, answer in pairs:
                self.say(f"{MARKS[answer.verdict]} {probe} ({answer.elapsed_ms:.0f} ms): {answer.message}")
        return 0 if worst(answer.verdict for _, answer in pairs) is Verdict.PASSED else 1
