"""A small real world: a git repository with two versions, a folder that runs one of them, and a runbook of `echo`s."""

import os
import subprocess
import textwrap
from dataclasses import dataclass
from pathlib import Path

from django.contrib.auth.models import User
from django.utils import timezone

from checks.models import Environment, Service
from releases.lifecycle import deployments, items, releases, runbooks, starting
from releases.models import Deployment, Release
from tests.factories import make_environment, make_service, make_user, settle_review

GIT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Rita",
    "GIT_AUTHOR_EMAIL": "rita@example.org",
    "GIT_COMMITTER_NAME": "Rita",
    "GIT_COMMITTER_EMAIL": "rita@example.org",
}

RUNBOOK = """
# Tea shop

## Deployment steps

### 1. Look (T-10 minutes)

```bash {name=look}
test ! -e no-look
echo "$RELEASE_VERSION over $PREVIOUS_VERSION" > ../look
```

### 2. Code (T-5 minutes)

```bash {name=code}
git fetch --tags
git checkout "$RELEASE_VERSION"
```

### 3. Start (T-0)

```bash {name=start}
cat VERSION >> ../started
test ! -e ../no-start
```

- [ ] The new version runs <!-- by: step -->

## Rollback procedure

### Code rollback (5 minutes)

```bash {name=back-code}
git checkout "$PREVIOUS_VERSION"
```

```bash {name=back-start}
cat VERSION >> ../started
test ! -e ../no-way-back
```
"""


def git(folder: Path, *arguments: str) -> str:
    """What git says in a folder."""
    said = subprocess.run(
        ["git", "-c", "init.defaultBranch=main", "-c", "protocol.file.allow=always", *arguments],
        cwd=folder,
        env=GIT,
        check=True,
        capture_output=True,
        text=True,
    )
    return said.stdout.strip()


def commit(repository: Path, files: dict[str, str], *, tag: str = "") -> str:
    """A new commit with these files; returns its id."""
    for name, text in files.items():
        path = repository / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", tag or "more")
    if tag:
        git(repository, "tag", "--force", tag)
    return git(repository, "rev-parse", "HEAD")


def make_repository(folder: Path) -> Path:
    """A repository with v1 and v2, whose VERSION file tells them apart."""
    repository = folder / "repository"
    repository.mkdir()
    git(repository, "init", "--quiet")
    for version in ("v1", "v2"):
        commit(repository, {"VERSION": f"{version}\n"}, tag=version)
    return repository


def make_clone(repository: Path, folder: Path, *, ref: str = "v1") -> Path:
    """A work tree of the repository with `ref` checked out."""
    git(folder.parent, "clone", "--quiet", str(repository), str(folder))
    git(folder, "checkout", "--quiet", "--detach", ref)
    return folder


@dataclass(frozen=True, kw_only=True)
class World:
    """What there is, and the verbs of its people."""

    repository: Path
    folder: Path
    service: Service
    environment: Environment
    rita: User
    anton: User
    olga: User

    @property
    def started(self) -> list[str]:
        """The versions that were started, in order."""
        path = self.folder.parent / "started"
        return path.read_text().split() if path.exists() else []

    @property
    def running(self) -> str:
        """The version whose code stands in the folder."""
        return (self.folder / "VERSION").read_text().strip()

    def mark(self, name: str) -> Path:
        """A file beside the folder: the runbook looks for some to fail or to wait."""
        path = self.folder.parent / name
        path.touch()
        return path

    def publish(self, text: str = RUNBOOK, *, level: str = "auto") -> None:
        """The text as the service's newest published runbook; all that runs is automated as far as `level`."""
        now = timezone.now()
        revision, _ = runbooks.import_text(
            self.service, textwrap.dedent(text), name="RUNBOOK.md", by="rita", at=now
        )
        settle_review(revision, level=level, by=self.anton, at=now)
        runbooks.publish(revision, user=self.rita, at=now)

    def release(self, version: str = "v2") -> Release:
        """The release of a version with the newest runbook."""
        revision = runbooks.newest(self.service, status="published")
        made, _ = releases.create(
            self.service, version, ref=version, revision=revision, user=self.rita, at=timezone.now()
        )
        return made

    def planned(self, version: str = "v2") -> Deployment:
        """The planned deployment of a version."""
        release = self.release(version)
        return deployments.plan(release, self.environment, user=self.anton, at=timezone.now())

    def approved(self, version: str = "v2") -> Deployment:
        """The approved deployment of a version, with the boxes of its release ticked."""
        deployment = self.planned(version)
        deployments.approve(deployment, user=self.anton, at=timezone.now())
        for box in items.boxes_of(deployment.release, None):
            items.tick(box, user=self.rita, evidence="seen", at=timezone.now())
        return deployment

    def queued(self, version: str = "v2") -> Deployment:
        """The queued deployment of a version."""
        deployment = self.approved(version)
        starting.queue(deployment, user=self.olga, at=timezone.now())
        return deployment


def make_world(folder: Path, text: str = RUNBOOK, **overrides: object) -> World:
    """A service whose environment runs v1, with a published runbook and three people."""
    repository = make_repository(folder)
    clone = make_clone(repository, folder / "running")
    service = make_service(
        name="tea", repository=str(repository), migrations=["*/migrations/0*.py"], **overrides
    )
    world = World(
        repository=repository,
        folder=clone,
        service=service,
        environment=make_environment(service=service, folder=str(clone), base_url="http://127.0.0.1:1"),
        rita=make_user("release_manager", username="rita"),
        anton=make_user("approver", username="anton"),
        olga=make_user("operator", username="olga"),
    )
    world.publish(text)
    return world
