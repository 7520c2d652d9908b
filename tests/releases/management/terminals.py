"""Commands at terminals of their own: real processes, what they show, and the keys pressed there."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from checks.gates.identity import Identity
from checks.gates.process import end_group
from releases.identity import create_token
from releases.models import Attempt, Deployment
from tests.releases.world import RUNBOOK, World
from tests.servers import wait_until

LONG = 60.0
WAIT = "echo begun; until test -e ../go; do sleep 0.1; done"
# The middle step waits for a sign; none of the steps changes the code, so the plans of others still hold after it.
LINGERS = RUNBOOK.replace('git fetch --tags\ngit checkout "$RELEASE_VERSION"', WAIT).replace(
    "cat VERSION >>", 'echo "$RELEASE_VERSION" >>'
)
# The step before the last one waits, where stopping is safe.
PAUSABLE = RUNBOOK.replace(
    "### 3. Start", f"### 2. Wait (T-1 minute)\n\n```bash\n{WAIT}\n```\n\n### 3. Start"
)


@dataclass(frozen=True, kw_only=True)
class Terminal:
    """One command under way; its two streams are files."""

    process: subprocess.Popen[bytes]
    folder: Path

    @property
    def out(self) -> str:
        """All that was printed so far."""
        return (self.folder / "out").read_text()

    @property
    def err(self) -> str:
        """All that was said on standard error so far."""
        return (self.folder / "err").read_text()

    def shows(self, words: str) -> None:
        """Wait until these words stand there."""
        wait_until(lambda: words in self.out + self.err or self.has_ended, within=LONG, what=f"'{words}'")
        assert words in self.out + self.err, self.out + self.err

    def press(self, number: signal.Signals = signal.SIGINT) -> None:
        """Ctrl-C, or another signal."""
        self.process.send_signal(number)

    def ends(self, code: int) -> str:
        """Wait for its end with that exit code; what it said on standard error."""
        assert self.process.wait(LONG) == code, (self.process.returncode, self.out, self.err)
        assert "Traceback" not in self.err
        return self.err

    @property
    def has_ended(self) -> bool:
        """Is it over?"""
        return self.process.poll() is not None


@contextmanager
def terminals(world: World, folder: Path, env: dict[str, str]) -> Iterator[Callable[..., Terminal]]:
    """A function that types a command as the operator; what still runs at the end is killed."""
    token = create_token(world.olga, label="tests", days=1, by="olga", at=timezone.now())
    opened: list[Terminal] = []

    def start(*words: str, **extra: str) -> Terminal:
        place = folder / f"terminal-{len(opened)}"
        place.mkdir()
        with (place / "out").open("wb") as out, (place / "err").open("wb") as err:
            process = subprocess.Popen(
                [sys.executable, "manage.py", *words, "--environment", "production", "--as", "olga"],
                cwd=settings.BASE_DIR, env={**env, "GANTRY_TOKEN": token, **extra},
                stdin=subprocess.DEVNULL, stdout=out, stderr=err,
            )  # fmt: skip
        opened.append(Terminal(process=process, folder=place))
        return opened[-1]

    try:
        yield start
    finally:
        for each in opened:
            each.process.kill()
            each.process.wait(LONG)
        for identity in Attempt.objects.exclude(process={}).values_list("process", flat=True):
            end_group(Identity(**identity))


def in_the_middle(deployment: Deployment) -> None:
    """Wait until the step that waits for a sign has begun."""
    begun = deployment.attempts.filter(outcome="", tail__contains="begun")
    wait_until(begun.exists, within=LONG, what="the step in the middle")


def fresh(deployment: Deployment) -> Deployment:
    """The row as it is now."""
    return Deployment.objects.get(pk=deployment.pk)
