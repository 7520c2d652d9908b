"""Deciding what a text leaves open, who may, and what of it holds for the next text."""

import pytest
from django.db import IntegrityError
from django.utils import timezone

from checks.models import AuditEntry
from releases.errors import NotAllowed, StaleState, WaitsForPerson, WrongUsage
from releases.lifecycle import reviews, runbooks
from releases.models import Decision, RunbookRevision
from tests.factories import (
    make_attempt,
    make_deployment,
    make_release,
    make_service,
    make_user,
    settle_review,
)

pytestmark = pytest.mark.django_db
RUNBOOK = """# Tea

## Deployment steps

### 1. Code

```bash
git checkout "$RELEASE_VERSION"
```

- [ ] The code is there

### 2. Clean

```bash
rm -rf /srv/tea/cache
```
"""


def bring(text: str = RUNBOOK, *, service=None) -> RunbookRevision:
    given = service or make_service()
    return runbooks.import_text(given, text, name="RUNBOOK.md", by="rita", at=timezone.now())[0]


def decide(
    revision: RunbookRevision, kind: str, subject: str, value: str, *, user=None, why: str = ""
) -> Decision:
    user = user or make_user("release_manager")
    return reviews.decide(revision, kind, subject, value, user=user, at=timezone.now(), why=why)


def step(revision: RunbookRevision, heading: str):
    return next(step for step in revision.reviewed.steps if heading in step.heading)


def danger_of(revision: RunbookRevision) -> str:
    block = next(block for block in revision.document.blocks if block.dangers)
    return f"{block.key}:{block.dangers[0]}"


def test_a_step_is_automated_as_far_as_was_decided_and_that_is_audited():
    revision = bring()
    assert step(revision, "Code").automation == "confirm"
    decide(revision, "level", step(revision, "Code").key, "auto", why="rehearsed on staging")
    assert step(revision, "Code").automation == "auto"
    assert AuditEntry.objects.latest("seq").reason == "rehearsed on staging"


def test_deciding_again_replaces():
    revision = bring()
    for level in ("guide", "confirm"):
        decide(revision, "level", step(revision, "Code").key, level)
    assert [decision.value for decision in revision.decisions.all()] == ["confirm"]


@pytest.mark.parametrize(
    ("kind", "subject", "value", "message"),
    [
        ("level", "nothing", "auto", "nothing called 'nothing'"),
        ("level", "Code", "quickly", "none of guide, confirm, auto, skip"),
        ("by", "The code is there", "nobody", "none of person, confirm"),
        ("by", "The code is there", "probe:", "none of person, confirm"),
        ("scope", "The code is there", "planet", "none of release, deployment"),
    ],
)
def test_what_cannot_be_decided_so_is_told(kind, subject, value, message):
    revision = bring()
    keys = {item.text: item.key for item in revision.document.items} | {"Code": step(revision, "Code").key}
    with pytest.raises(WrongUsage, match=message):
        decide(revision, kind, keys.get(subject, subject), value)
    assert not Decision.objects.exists()


def test_auto_before_a_clean_run_and_a_step_left_out_need_a_reason():
    revision = bring()
    for level in ("auto", "skip"):
        with pytest.raises(WaitsForPerson, match="reason"):
            decide(revision, "level", step(revision, "Code").key, level)


def test_after_a_clean_run_a_step_is_raised_without_a_reason():
    revision = bring()
    deployment = make_deployment(
        release=make_release(service=revision.runbook.service, revision=revision), status="succeeded"
    )
    code = step(revision, "Code")
    block = revision.document.blocks_of(code.order)[0]
    make_attempt(deployment=deployment, action=block.key, outcome="succeeded")
    assert reviews.clean_runs(revision.runbook, revision.document)[code.key] == 1
    assert decide(revision, "level", code.key, "auto").value == "auto"


def test_a_run_that_needed_two_tries_is_not_clean():
    revision = bring()
    release = make_release(service=revision.runbook.service, revision=revision)
    deployment = make_deployment(release=release, status="succeeded")
    code = step(revision, "Code")
    block = revision.document.blocks_of(code.order)[0]
    for number, outcome in enumerate(["failed", "succeeded"], 1):
        make_attempt(deployment=deployment, action=block.key, outcome=outcome, number=number)
    assert reviews.clean_runs(revision.runbook, revision.document)[code.key] == 0


def test_what_nobody_decided_stops_publishing_and_is_named():
    revision = bring()
    with pytest.raises(WaitsForPerson, match=r"line 16: accept danger-remove: rm -rf"):
        runbooks.publish(revision, user=make_user("release_manager"), at=timezone.now())


def test_a_danger_needs_a_second_person():
    revision, rita = bring(), make_user("release_manager")
    with pytest.raises(WaitsForPerson, match="reason"):
        decide(revision, "accept", danger_of(revision), "yes", user=rita)
    decide(revision, "accept", danger_of(revision), "yes", user=rita, why="only a cache")
    with pytest.raises(NotAllowed, match="a second person"):
        runbooks.publish(revision, user=rita, at=timezone.now())
    published = runbooks.publish(revision, user=make_user("release_manager"), at=timezone.now())
    assert published.status == "published"


def test_who_may_not_review_is_told():
    with pytest.raises(NotAllowed, match="may not review"):
        decide(bring(), "level", "x", "auto", user=make_user("operator"))


def test_decisions_hold_for_what_did_not_change_and_fall_for_what_did():
    revision = bring()
    item = revision.document.items[0]
    decide(revision, "by", item.key, "step")
    decide(revision, "level", step(revision, "Code").key, "auto", why="rehearsed")
    decide(revision, "accept", danger_of(revision), "yes", why="only a cache")
    changed = RUNBOOK.replace("git checkout", "git checkout --detach") + "\nOne more word.\n"
    newer = bring(changed, service=revision.runbook.service)
    assert {decision.kind for decision in newer.decisions.all()} == {"by", "accept"}
    assert all(decision.is_carried for decision in newer.decisions.all())
    assert step(newer, "Code").automation == "confirm"
    assert newer.reviewed.items[0].by == "step"


def test_what_publishing_settled_is_decided_anew_in_a_new_draft():
    revision, rita = bring(), make_user("release_manager")
    settle_review(revision, level="confirm")
    runbooks.publish(revision, user=rita, at=timezone.now())
    item = revision.document.items[0]
    with pytest.raises(WaitsForPerson, match="--redraft"):
        decide(revision, "scope", item.key, "release")
    draft = runbooks.redraft(revision, user=rita, at=timezone.now())
    decide(draft, "scope", item.key, "release")
    assert (draft.number, draft.status, draft.reviewed.items[0].scope) == (2, "draft", "release")
    assert revision.reviewed.items[0].scope == "deployment"
    assert draft.decisions.filter(kind="level").exists()


def test_a_second_draft_beside_the_first_is_refused():
    with pytest.raises(WrongUsage, match="is a draft already"):
        runbooks.redraft(bring(), user=make_user("release_manager"), at=timezone.now())


def test_who_published_does_not_accept_a_danger_afterwards():
    revision, rita = bring(), make_user("release_manager")
    clean = step(revision, "Clean")
    decide(revision, "level", clean.key, "skip", user=rita, why="not today")
    runbooks.publish(revision, user=rita, at=timezone.now())
    with pytest.raises(NotAllowed, match="a second person"):
        decide(revision, "accept", danger_of(revision), "yes", user=rita, why="it is fine")


def test_a_review_that_began_before_publishing_settles_nothing_after_it():
    revision = bring()
    stale = RunbookRevision.objects.get(pk=revision.pk)
    settle_review(revision, level="confirm")
    runbooks.publish(revision, user=make_user("release_manager"), at=timezone.now())
    with pytest.raises(StaleState, match="no draft any more"):
        decide(stale, "by", stale.document.items[0].key, "step")
    assert not Decision.objects.filter(kind="by").exists()


def test_an_import_that_lost_the_race_for_a_number_tries_again(monkeypatch):
    first = bring()
    original = runbooks._draft
    others = iter([RUNBOOK + "\nTheirs.\n"])

    def draft(runbook, text, **more):
        for other in others:
            original(runbook, other, **more)
            raise IntegrityError("UNIQUE constraint failed")
        return original(runbook, text, **more)

    monkeypatch.setattr(runbooks, "_draft", draft)
    mine = bring(RUNBOOK + "\nMine.\n", service=first.runbook.service)
    assert (mine.number, mine.text.endswith("Mine.\n")) == (3, True)
