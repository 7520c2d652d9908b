"""What a contestant needs before the clock starts: `python -m tests.benchmarks.prepared WHAT FOLDER RUNBOOK`."""

import sys
from pathlib import Path

import django


def main() -> int:
    """bare: a database with a metric; service: one that can be deployed; release: its next version, approved."""
    django.setup()
    what, folder, runbook = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    {"bare": bare, "service": service, "release": release}[what](folder, runbook)
    return 0


def migrated() -> None:
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def bare(folder: Path, runbook: str) -> None:
    from tests.factories import make_environment

    migrated()
    make_environment().metrics.create(name="steps")


def service(folder: Path, runbook: str) -> None:
    """git with one tag and a folder that runs it, users with tokens, a published runbook."""
    from tests.factories import make_environment, make_service, make_user
    from tests.releases.world import World, make_clone, make_repository

    migrated()
    repository = make_repository(folder)
    clone = make_clone(repository, folder / "running")
    made = make_service(name="bench", repository=str(repository), migrations=[])
    World(
        repository=repository,
        folder=clone,
        service=made,
        environment=make_environment(
            service=made, name="here", folder=str(clone), base_url="http://127.0.0.1:1"
        ),
        rita=make_user("release_manager", username="rita"),
        anton=make_user("approver", username="anton"),
        olga=make_user("operator", username="olga"),
    ).publish(runbook)


def release(folder: Path, runbook: str) -> None:
    """The next version: the commit that runs already, under a new name, approved; prints it with a token."""
    from django.contrib.auth.models import User
    from django.utils import timezone

    from checks.models import Environment
    from releases.lifecycle import deployments, releases, runbooks
    from releases.models import Release
    from tests.factories import token_for

    people = {user.username: user for user in User.objects.all()}
    place, now = Environment.objects.get(), timezone.now()
    version = f"r{Release.objects.count() + 1}"
    revision = runbooks.newest(place.service, status="published")
    made, _ = releases.create(
        place.service, version, ref="v1", revision=revision, user=people["rita"], at=now
    )
    planned = deployments.plan(made, place, user=people["anton"], at=now)
    deployments.approve(planned, user=people["anton"], at=now)
    print(version, token_for(people["olga"]))


if __name__ == "__main__":
    sys.exit(main())
