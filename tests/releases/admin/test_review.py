"""The review page shows what was understood beside the text, and decides as whoever is signed in."""

import re
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from releases.lifecycle import reviews, runbooks
from releases.models import Decision, RunbookRevision
from releases.runbooks.encoding import decode
from releases.runbooks.review import subjects
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db
CASES = Path(settings.BASE_DIR) / "tests" / "cases" / "runbooks"

TEXT = """# Tea shop: deployment

## Before the deployment

- [ ] All pull requests are reviewed
- [ ] Release notes are written

## Deployment steps

### 1. Restart (T-10 minutes)

```bash
bin/shop restart
```

- [ ] Orders go through: `bin/shop orders --check`

### 2. Table (T-5 minutes)

```bash
psql "$DATABASE_URL" -c 'DROP TABLE old_orders'
```

### 3. Cache (T-2 minutes)

```bash
bin/shop cache:clear
# OR
bin/shop cache:forget green-tea
```

### 4. Smoke test (T+5 minutes)

```bash
curl --fail https://<host>/health
```

## Rollback triggers

Roll back if any of these happens:

- Error rate > 5% for more than 2 minutes
- Data corruption is detected

## Rollback procedure

### Code rollback (5 minutes)

```bash
git checkout "$PREVIOUS_VERSION"
bin/shop restart
```

## Troubleshooting

- [ ] Look into the cellar
"""


@pytest.fixture
def draft() -> RunbookRevision:
    return factories.make_revision(status="draft", text=TEXT)


def page(client: Client, revision: RunbookRevision, user=None) -> str:
    """The text of the review page, without markup, as one line."""
    client.force_login(user or factories.make_user("viewer"))
    answer = client.get(reverse("admin:releases_runbookrevision_change", args=[revision.pk]))
    assert answer.status_code == 200
    return plain(answer.content.decode())


def html_of(client: Client, revision: RunbookRevision) -> str:
    client.force_login(User.objects.filter(username="vera").first() or factories.make_user(username="vera"))
    answer = client.get(reverse("admin:releases_runbookrevision_change", args=[revision.pk]))
    assert answer.status_code == 200
    return answer.content.decode()


def dead_links(html: str) -> set[str]:
    """Links to a part of the page that is not there."""
    return set(re.findall(r'href="#([^"]+)"', html)) - set(re.findall(r'id="([^"]+)"', html))


def twins(html: str) -> set[str]:
    """Names that two parts of the page have."""
    names = Counter(re.findall(r'\sid="((?:at|step|line|stage)-[^"]+)"', html))
    return {name for name, count in names.items() if count > 1}


def plain(html: str) -> str:
    body = re.sub(r"<script.*?</script>", "", html, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def subject_of(revision: RunbookRevision, kind: str, line: int | None = None) -> str:
    """The first thing of that kind that can be decided about, or the one at a line."""
    known = subjects(revision.document)
    return next(subject for (found, subject), at in known.items() if found == kind and line in (None, at))


def step_of(revision: RunbookRevision, heading: str) -> str:
    return next(step.key for step in revision.document.steps if step.heading.startswith(heading))


def press(client: Client, revision: RunbookRevision, decision: str, user) -> list[str]:
    """Press a button of the page as `user`; returns the messages of the page that comes next."""
    client.force_login(user)
    address = reverse("admin:releases_runbookrevision_decide", args=[revision.pk])
    answer = client.post(address, {"decision": decision}, headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Trigger"]) == (204, "decided")
    return [str(message) for message in get_messages(answer.wsgi_request)]


def answer(client: Client, revision: RunbookRevision, user, asked: dict[str, str], **given: str):
    """Fill in the dialog for one decision as `user`."""
    client.force_login(user)
    address = reverse("admin:releases_runbookrevision_ask", args=[revision.pk], query=asked)
    return client.post(address, {"_form_submitted": "on", **given}, headers={"HX-Request": "true"})


def decisions(revision: RunbookRevision) -> list[tuple[str, str, str, str]]:
    rows = revision.decisions.select_related("by")
    return [(row.kind, row.value, row.by.username, row.why) for row in rows]


# --- what is shown ----------------------------------------------------------------------------------------


def test_every_line_of_the_text_stands_on_the_page_with_its_number(client, draft) -> None:
    html = html_of(client, draft)
    assert [int(number) for number in re.findall(r'id="line-(\d+)"', html)] == list(
        range(1, len(TEXT.split("\n")) + 1)
    )


def test_every_link_to_a_part_of_the_page_leads_there(client, draft) -> None:
    assert dead_links(html_of(client, draft)) == set()


def test_no_two_parts_of_the_page_have_the_same_name(client, draft) -> None:
    assert twins(html_of(client, draft)) == set()


def test_the_page_of_every_case_of_the_reader_opens_and_its_links_lead_somewhere(client) -> None:
    runbook, cases = factories.make_runbook(), sorted(CASES.glob("*.md"))
    assert len(cases) > 50
    for case in cases:
        text = decode(case.read_bytes()).text
        revision = factories.make_revision(runbook=runbook, status="draft", text=text)
        html = html_of(client, revision)
        assert (dead_links(html), twins(html)) == (set(), set()), case.name


def test_problems_come_before_what_was_understood(client, draft) -> None:
    shown = page(client, draft)
    assert (
        0 < shown.index("Problems") < shown.index("Open: somebody has to decide") < shown.index("1. Restart")
    )


def test_a_dangerous_command_is_an_open_matter_in_words(client, draft) -> None:
    assert "drops something from the database: psql" in page(client, draft)


def test_a_box_says_who_will_tick_it_and_how_often(client, draft) -> None:
    assert re.search(r"All pull requests are reviewed (a person|a person confirms) once", page(client, draft))


def test_a_trigger_without_a_number_is_pulled_by_a_person(client, draft) -> None:
    assert "Data corruption is detected pulled by a person" in page(client, draft)


def test_a_limit_that_no_probe_reads_says_so(client, draft) -> None:
    assert "no probe yet" in page(client, draft)
    place = factories.make_environment(service=draft.runbook.service)
    factories.make_metric(environment=place, name="error_rate")
    assert "no probe yet" not in page(client, draft)


def test_a_placeholder_says_which_variable_fills_it_and_who_gives_that(client, draft) -> None:
    assert "<host> filled by $HOST given by no environment yet" in page(client, draft).replace(
        "&lt;", "<"
    ).replace("&gt;", ">")
    place = factories.make_environment(service=draft.runbook.service, name="staging")
    factories.make_variable(environment=place, name="HOST")
    assert "$HOST in staging" in page(client, draft)


def test_a_way_back_of_one_step_is_named_once(client) -> None:
    text = "# Tea\n## Rollback procedures\n### Code (5 minutes)\n```bash\ngit checkout v1\n```\n"
    revision = factories.make_revision(status="draft", text=text)
    shown = re.search(r'(?s)id="stage-rollback_procedure".*?</ul>', html_of(client, revision))
    assert shown and plain(shown[0]).count("Code (5 minutes)") == 1


def test_what_is_only_for_reading_is_folded_away(client, draft) -> None:
    html = html_of(client, draft)
    folded = html[html.index('id="fold-troubleshooting"') :]
    assert "Look into the cellar" in folded[: folded.index("</details>")]


def test_a_step_shows_its_clean_runs(client) -> None:
    deployment = factories.make_deployment(status="watching")
    revision = deployment.release.revision
    for block in revision.document.blocks:
        factories.make_attempt(deployment=deployment, action=block.key)
    assert "1 clean run" in page(client, revision)


# --- deciding ---------------------------------------------------------------------------------------------


def test_a_level_is_set_with_one_press(client, draft) -> None:
    rita = factories.make_user("release_manager", username="rita")
    assert press(client, draft, f"level|{step_of(draft, '1.')}|guide", rita) == [
        "1. Restart (T-10 minutes): guide"
    ]
    assert decisions(draft) == [("level", "guide", "rita", "")]


def test_a_refusal_is_shown_in_its_own_words(client, draft) -> None:
    (said,) = press(client, draft, f"level|{step_of(draft, '1.')}|guide", factories.make_user("viewer"))
    assert "may not review" in said
    assert decisions(draft) == []


@pytest.mark.parametrize(
    "decision", ["", "|", "level", "level||auto", "nonsense|x|y", "pick|x|y", "levels||auto"]
)
def test_what_cannot_be_decided_is_refused_in_words(client, draft, decision) -> None:
    (said,) = press(client, draft, decision, factories.make_user("release_manager"))
    assert said
    assert {row[0] for row in decisions(draft)} <= {"level"}


def test_raising_a_step_before_a_clean_run_wants_a_reason(client, draft) -> None:
    rita = factories.make_user("release_manager", username="rita")
    asked = {"kind": "level", "subject": step_of(draft, "1."), "value": "auto"}
    refused = answer(client, draft, rita, asked)
    assert "has no clean run yet" in plain(refused.content.decode()).replace("&#x27;", "'")
    assert "This field is required" in refused.content.decode()
    answer(client, draft, rita, asked, why="rehearsed on staging")
    assert decisions(draft) == [("level", "auto", "rita", "rehearsed on staging")]


def test_a_danger_is_accepted_with_a_reason(client, draft) -> None:
    anton = factories.make_user("approver", username="anton")
    asked = {"kind": "accept", "subject": subject_of(draft, "accept"), "value": "yes"}
    answer(client, draft, anton, asked, why="the table is empty")
    assert decisions(draft) == [("accept", "yes", "anton", "the table is empty")]
    assert "accepted: drops something" in page(client, draft)


def test_who_accepted_a_danger_reads_that_another_publishes(client, draft) -> None:
    rita = factories.make_user("release_manager")
    asked = {"kind": "accept", "subject": subject_of(draft, "accept"), "value": "yes"}
    answer(client, draft, rita, asked, why="it is empty")
    assert "a second person publishes" in page(client, draft, rita)
    assert "a second person publishes" not in page(client, draft, factories.make_user("release_manager"))


def test_a_way_is_picked_with_one_press(client, draft) -> None:
    (choice,) = draft.document.choices
    press(client, draft, f"pick|{choice.key}|{choice.options[1].key}", factories.make_user("approver"))
    assert [row[:2] for row in decisions(draft)] == [("pick", choice.options[1].key)]
    html = html_of(client, draft)
    first = choice.options[0]
    gone = [int(number) for number in re.findall(r'id="line-(\d+)"[^>]* data-gone', html)]
    assert gone == list(range(first.line, first.end + 1))


DIALOGS = {
    "by": {"value": "confirm"},
    "scope": {"value": "deployment"},
    "run": {"value": "yes"},
    "fill": {"value": "SHOP_HOST"},
}


@pytest.mark.parametrize("kind", DIALOGS)
def test_a_dialog_asks_and_decides(client, draft, kind) -> None:
    rita, subject = factories.make_user("release_manager", username="rita"), subject_of(draft, kind)
    answer(client, draft, rita, {"kind": kind, "subject": subject}, **DIALOGS[kind])
    assert decisions(draft) == [(kind, DIALOGS[kind]["value"], "rita", "")]


def test_a_box_may_be_given_to_a_probe_of_the_service(client, draft) -> None:
    place = factories.make_environment(service=draft.runbook.service)
    factories.make_probe(environment=place, name="orders")
    asked = {"kind": "by", "subject": subject_of(draft, "by")}
    answer(client, draft, factories.make_user("release_manager"), asked, value="probe:orders")
    assert "probe orders" in page(client, draft)


def test_the_command_in_a_box_is_turned_on_and_off(client, draft) -> None:
    rita, subject = factories.make_user("release_manager"), subject_of(draft, "run")
    assert f'value="run|{subject}|yes"' in html_of(client, draft)
    press(client, draft, f"run|{subject}|yes", rita)
    assert [item.command for item in draft.reviewed.items if item.runs] == ["bin/shop orders --check"]
    assert f'value="run|{subject}|no"' in html_of(client, draft)
    press(client, draft, f"run|{subject}|no", rita)
    assert not any(item.runs for item in draft.reviewed.items)


def test_all_steps_that_run_are_set_at_once(client, draft) -> None:
    rita = factories.make_user("release_manager")
    answer(client, draft, rita, {"kind": "levels", "value": "auto"}, why="rehearsed")
    runs = {step.heading[:2] for step in draft.reviewed.steps if step.automation == "auto"}
    assert runs == {"1.", "2.", "3.", "4.", "Co"}


@pytest.mark.parametrize("role", ["viewer", "approver", "release_manager"])
def test_every_dialog_opens_and_looking_at_it_changes_nothing(client, draft, role) -> None:
    client.force_login(factories.make_user(role))
    address = reverse("admin:releases_runbookrevision_ask", args=[draft.pk])
    asked = [{"kind": kind, "subject": subject} for kind, subject in subjects(draft.document)]
    asked += [{**each, "value": "skip"} for each in asked if each["kind"] == "level"]
    asked += [{"kind": "levels", "value": level} for level in ("guide", "confirm", "auto")]
    assert {client.get(address, each).status_code for each in asked} == {200}
    assert not Decision.objects.exists()


HOSTILE = """# Shop <script>alert(0)</script>

## Before the deployment

- [ ] Boxes <script>alert(1)</script> are `git tag "<script>alert(2)</script>"`

## Deployment steps

### Code <script>alert(3)</script>

```bash
rm -rf /srv/<script>alert(4)</script>/YOUR_DIR <b-host>
# OR <script>alert(5)</script>
bin/shop "<script>alert(6)</script>"
```

- [ ] Tag it: `git tag "<script>alert(7)</script>"`
"""


def test_no_dialog_shows_what_the_text_says_as_html(client) -> None:
    draft = factories.make_revision(status="draft", text=HOSTILE)
    factories.make_probe(
        environment=factories.make_environment(service=draft.runbook.service), name="<script>p"
    )
    client.force_login(factories.make_user("release_manager"))
    address = reverse("admin:releases_runbookrevision_ask", args=[draft.pk])
    asked = [{"kind": kind, "subject": subject} for kind, subject in subjects(draft.document)]
    assert {each["kind"] for each in asked} == {"level", "by", "scope", "run", "pick", "fill", "accept"}
    levels = ("auto", "skip", "guide", "<script>")
    asked += [{**each, "value": value} for each in asked if each["kind"] == "level" for value in levels]
    shown = [client.get(address, each).content.decode() for each in asked]
    sent = [
        client.post(f"{address}?{urlencode(each)}", {"value": "<script>"}).content.decode() for each in asked
    ]
    assert not [html for html in (*shown, *sent) if "<script>" in html or "<b-host>" in html]
    assert any("&lt;script&gt;alert(3)&lt;/script&gt;&#x27; has no clean run" in html for html in shown)


def test_a_dialog_about_nothing_leads_back_in_words(client, draft) -> None:
    client.force_login(factories.make_user("release_manager"))
    address = reverse("admin:releases_runbookrevision_ask", args=[draft.pk])
    shown = client.get(address, {"kind": "by", "subject": "nothing"}, follow=True)
    assert "nothing called" in shown.content.decode()


def test_without_a_script_a_press_leads_back_to_the_page(client, draft) -> None:
    client.force_login(factories.make_user("release_manager"))
    address = reverse("admin:releases_runbookrevision_decide", args=[draft.pk])
    shown = client.post(address, {"decision": f"level|{step_of(draft, '1.')}|guide"}, follow=True)
    assert shown.redirect_chain == [(reverse("admin:releases_runbookrevision_change", args=[draft.pk]), 302)]
    assert "1. Restart (T-10 minutes): guide" in plain(shown.content.decode())


def test_deciding_wants_the_token_of_the_form_and_is_no_link(client, draft) -> None:
    address = reverse("admin:releases_runbookrevision_decide", args=[draft.pk])
    stranger = Client(enforce_csrf_checks=True)
    stranger.force_login(factories.make_superuser())
    client.force_login(factories.make_superuser())
    assert stranger.post(address, {"decision": "level|x|auto"}).status_code == 403
    assert client.get(address).status_code == 405


# --- publishing -------------------------------------------------------------------------------------------


def settled(draft: RunbookRevision) -> RunbookRevision:
    factories.settle_review(draft)
    return draft


def test_what_stops_publishing_is_named(client, draft) -> None:
    shown = page(client, draft, factories.make_user("release_manager"))
    assert re.search(r"2 things stop publishing line \d+: .*line \d+: ", shown)


def test_a_settled_draft_offers_to_publish(client, draft) -> None:
    shown = page(client, settled(draft), factories.make_user("release_manager"))
    assert "Nothing stops publishing." in shown


def test_who_may_not_publish_reads_who_does(client, draft) -> None:
    assert "you may not publish" in page(client, settled(draft), factories.make_user("approver"))


def test_after_publishing_the_next_step_is_a_release(client, draft) -> None:
    runbooks.publish(settled(draft), user=factories.make_user("release_manager"), at=NOON)
    assert "Next: create a release." in page(client, draft)


def test_a_published_text_changes_levels_alone(client, draft) -> None:
    rita = factories.make_user("release_manager")
    runbooks.publish(settled(draft), user=rita, at=NOON)
    press(client, draft, f"level|{step_of(draft, '1.')}|guide", rita)
    assert draft.decided["level", step_of(draft, "1.")] == "guide"
    said = press(client, draft, f"scope|{subject_of(draft, 'scope')}|deployment", rita)
    assert "--redraft" in said[-1]
    html = html_of(client, draft)
    assert "kind=scope" not in html and 'value="run|' not in html and 'value="pick|' not in html


# --- revisions --------------------------------------------------------------------------------------------


def next_revision(draft: RunbookRevision, *replaced: tuple[str, str]) -> RunbookRevision:
    text = TEXT
    for was, now in replaced:
        text = text.replace(was, now)
    runbook = draft.runbook
    return runbooks.import_text(runbook.service, text, name=runbook.name, by="rita", at=NOON)[0]


def test_a_decision_that_was_carried_over_names_its_revision(client, draft) -> None:
    rita = factories.make_user("release_manager", username="rita")
    reviews.decide(draft, "level", step_of(draft, "1."), "guide", user=rita, at=NOON, why="the old way")
    newer = next_revision(draft, ("Look into the cellar", "Look into the attic"))
    assert "decided in r1 by rita : the old way" in page(client, newer).replace("rita:", "rita :")


def test_what_changed_is_told_with_the_steps_to_review_anew(client, draft) -> None:
    newer = next_revision(
        draft,
        ("bin/shop restart\n```\n\n- [ ]", "bin/shop restart --hard\n```\n\n- [ ]"),
        ("in the cellar", ""),
    )
    shown = page(client, newer)
    assert "What changed since r1 0 added · 0 removed · 1 reworded" in shown
    assert "review these steps anew 10 1. Restart (T-10 minutes)" in shown


def test_a_first_revision_has_nothing_to_compare(client, draft) -> None:
    assert "What changed" not in page(client, draft)


def test_decisions_stand_on_the_page_and_in_a_list(client, draft) -> None:
    anton = factories.make_user("approver", username="anton")
    reviews.decide(
        draft, "accept", subject_of(draft, "accept"), "yes", user=anton, at=NOON, why="the table is empty"
    )
    assert re.search(r"anton accept drops something .* accepted the table is empty", page(client, draft))
    listed = client.get(reverse("admin:releases_decision_changelist"), {"revision__id__exact": draft.pk})
    assert "the table is empty" in listed.content.decode()


# --- limits -----------------------------------------------------------------------------------------------


def test_a_longer_review_asks_no_more_of_the_database(client, draft, django_assert_max_num_queries) -> None:
    client.force_login(factories.make_user("release_manager"))
    address = reverse("admin:releases_runbookrevision_change", args=[draft.pk])
    client.get(address)
    with django_assert_max_num_queries(30) as before:
        client.get(address)
    factories.settle_review(draft)
    assert draft.decisions.count() > 5
    # Whether this user accepted dangers is asked once; a question a decision would be more than five.
    with django_assert_max_num_queries(len(before) + 3):
        client.get(address)


def test_a_hostile_text_is_shown_as_text(client) -> None:
    evil = "<img src=x onerror=alert(1)>"
    text = TEXT.replace("Orders go through", evil).replace("old_orders", evil).replace("1. Restart", evil)
    revision = factories.make_revision(status="draft", text=text)
    html = html_of(client, revision)
    assert evil not in html
    assert "&lt;img src=x" in html


def many_steps(count: int, body: str) -> str:
    steps = "".join(f"### Step {n}\n{body.format(n=n)}" for n in range(1, count + 1))
    return f"# Shop\n## Deployment steps\n{steps}"


def test_of_a_long_stage_one_part_is_shown_whole_and_the_others_in_a_line_each(client) -> None:
    body = "- [ ] Box {n}\n```bash\nrm -rf /srv/shop/{n}\n```\n"
    revision = factories.make_revision(status="draft", text=many_steps(150, body))
    html = html_of(client, revision)
    assert (html.count('class="g-step"'), dead_links(html), twins(html)) == (60, set(), set())
    assert 'href="?at=61#step-61"' in html and "/srv/shop/61" in plain(html)
    address = reverse("admin:releases_runbookrevision_change", args=[revision.pk]) + "?at=130"
    html = client.get(address).content.decode()
    assert (html.count('class="g-step"'), dead_links(html), twins(html)) == (30, set(), set())
    assert f'hx-get="{address}"' in html
    assert "Box 130" in re.sub(r"(?s)<pre.*?</pre>", "", html)


def test_sixty_steps_are_shown_whole(client) -> None:
    html = html_of(client, factories.make_revision(status="draft", text=many_steps(60, "- [ ] Box {n}\n")))
    assert (html.count('class="g-step"'), "?at=" in html) == (60, False)


@pytest.mark.parametrize(
    ("count", "body"),
    [
        (1200, "```bash\nrm -rf /srv/shop/old/{n}\n```\n"),
        (820, "```bash\nbin/shop task --step {n}\n# OR\nbin/shop other --step {n}\n```\n"),
    ],
)
def test_the_page_of_a_huge_text_stays_small(client, count: int, body: str) -> None:
    revision = factories.make_revision(status="draft", text=many_steps(count, body))
    assert len(html_of(client, revision)) < 1_500_000


def test_a_large_text_is_shown_within_a_second(client) -> None:
    steps = "\n".join(
        f"### {n}. Step (T-5 minutes)\n\n```bash\nbin/shop task {n}\n```\n\n" + f"- [ ] Box of {n}\n" * 4
        for n in range(60)
    )
    revision = factories.make_revision(status="draft", text=f"# Shop\n\n## Deployment steps\n\n{steps}")
    client.force_login(factories.make_user("viewer"))
    address = reverse("admin:releases_runbookrevision_change", args=[revision.pk])
    client.get(address)
    started = time.process_time()
    assert client.get(address).status_code == 200
    assert time.process_time() - started < 1
