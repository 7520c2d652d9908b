"""What must hold before anything is touched: code, databases, disk, variables, and the environment's own probes."""

from collections.abc import Iterator
from pathlib import Path

from checks.observe import ask
from checks.probers.base import Answer, Question
from checks.sampling import question_of
from checks.verdicts import Verdict
from releases import repository
from releases.actions.base import Context, Look, Observation
from releases.actions.restart import ask_health
from releases.errors import WrongUsage
from releases.plan.model import PlannedAction

FREE_MB = 200


class Preflight(Look):
    """Looks only; every failure is named, not just the first."""

    def confirm(self, action: PlannedAction, context: Context) -> Observation:
        """Done when nothing speaks against starting."""
        asked = _questions(context)
        answers = ask([question for _, question in asked])
        seen = {name: answer for (name, _), answer in zip(asked, answers, strict=True)}
        failures = [*_code_problems(context), *_service_problems(context), *_failures(seen)]
        evidence = {
            "commit": context.plan.commit,
            "probes": {name: f"{answer.verdict}: {answer.message}" for name, answer in seen.items()},
            "failures": failures,
        }
        message = (
            "; ".join(failures)
            or f"code, service, databases, disk and {len(seen)} checks are as they should be"
        )
        return Observation(done=not failures, message=message, evidence=evidence)


def _code_problems(context: Context) -> Iterator[str]:
    release, folder = context.deployment.release, context.environment.folder
    try:
        tree = repository.look(folder)
        now = repository.resolve(release.service.repository, release.ref)
        repository.fetch(folder)
    except WrongUsage as error:
        yield str(error)
        return
    if now != release.commit:
        yield (
            f"{release.ref} was moved: it is {now[:10]} now and was {release.commit[:10]} when {release} was created; "
            "create a release with a new version"
        )
    lock = Path(folder) / ".git" / "index.lock"
    if lock.exists():
        yield f"git is at work in {folder}, or died there: remove {lock} when no git runs"
    if tree.changes:
        yield f"{folder} has uncommitted changes:\n{repository.difference(folder)}\ncommit, stash or discard them"
    if tree.commit != context.plan.previous_commit:
        yield f"{folder} is at {tree.commit[:10]}, the plan is for {context.plan.previous_commit[:10]}; plan again"
    if not repository.has_commit(folder, release.commit):
        yield f"{folder} does not get {release.commit[:10]} from its origin; push it there"


def _service_problems(context: Context) -> Iterator[str]:
    if not context.environment.service.health.get("ready"):
        return
    health = ask_health(context.environment)
    if not health.ready:
        yield f"the service is not well before the deployment starts: {health.message}"


def _questions(context: Context) -> list[tuple[str, Question]]:
    environment, variables = context.environment, context.variables
    asked = [
        (
            f"database {database.name}",
            Question(
                kind="sql",
                target=database.url,
                options={"query": "SELECT 1"},
                folder=environment.folder,
                variables=variables,
            ),
        )
        for database in environment.databases.all()
    ]
    asked.append(
        ("disk", Question(kind="disk", target=environment.folder, conditions=(f"[FREE_MB] > {FREE_MB}",)))
    )
    probes = environment.probes.filter(is_preflight=True)
    return asked + [(f"probe {probe.name}", question_of(probe, variables)) for probe in probes]


def _failures(seen: dict[str, Answer]) -> list[str]:
    return [
        f"{name}: {answer.message}" for name, answer in seen.items() if answer.verdict is not Verdict.PASSED
    ]
