"""A box about staging: what happened there is offered as evidence, and a person takes it."""

import pytest

from tests.factories import make_deployment, make_environment
from tests.releases.world import RUNBOOK, World

BOX = (
    "## Pre-deployment checklist\n\n- [ ] Deployed to staging <!-- scope: release -->\n\n## Deployment steps"
)
TICK = ("tick_item", "tea", "v2", "staging", "--as", "rita")


@pytest.fixture
def staging(world: World):
    world.publish(RUNBOOK.replace("## Deployment steps", BOX))
    return make_environment(service=world.service, name="staging")


def test_a_box_without_evidence_names_what_is_offered(gantry, world: World, staging):
    release = world.release()
    assert "offered" not in gantry(*TICK, token_of=world.rita).err
    make_deployment(release=release, environment=staging, status="succeeded")
    seen = gantry(*TICK, token_of=world.rita)
    assert (seen.code, release.items.get(text="Deployed to staging").state) == (2, "open")
    assert "'Deployed to staging' needs evidence; what is offered: --evidence 'staging #1 of v2" in seen.err
    evidence = seen.err.partition("--evidence '")[2].rpartition("'")[0]
    assert gantry(*TICK, "--evidence", evidence, token_of=world.rita).code == 0
    assert release.items.get(text="Deployed to staging").evidence["said"] == evidence


def test_a_waiver_is_a_persons_own_words(gantry, world: World, staging):
    make_deployment(release=world.release(), environment=staging, status="succeeded")
    assert "offered" not in gantry(*TICK, "--waive", token_of=world.rita).err
