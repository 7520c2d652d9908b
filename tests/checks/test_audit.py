"""The audit trail: a chain that holds, also when many write at once, and shows where it was touched."""

import pytest
from django.db import transaction
from django.utils import timezone

from checks import audit
from checks.audit import Line, first_bad_entry
from checks.models import AuditEntry, AuditHead
from tests.threads import in_threads

WRITERS, EACH = 8, 10


def write(number: int = 1, *, by: str = "olga") -> None:
    lines = [
        Line(verb="added", subject=f"thing:{each}", new={"at": timezone.now()}) for each in range(number)
    ]
    with transaction.atomic():
        audit.write(lines, by=by, at=timezone.now(), why="a test")


@pytest.mark.django_db
def test_an_entry_says_who_did_what_when_and_why():
    write(by="olga")
    entry = AuditEntry.objects.get()
    assert entry.actor == f"olga ({audit.seat()})"
    assert (entry.verb, entry.subject, entry.reason) == ("added", "thing:0", "a test")


@pytest.mark.django_db
def test_an_empty_trail_holds():
    assert first_bad_entry() is None


@pytest.mark.django_db
def test_the_chain_holds_over_many_entries():
    for _ in range(5):
        write(3)
    assert list(AuditEntry.objects.order_by("seq").values_list("seq", flat=True)) == list(range(1, 16))
    assert first_bad_entry() is None


@pytest.mark.django_db
@pytest.mark.parametrize(
    "tampering",
    [
        {"actor": "somebody else"},
        {"verb": "removed"},
        {"new": {}},
        {"reason": "none"},
        {"prev": "0" * 64},
        {"hash": "0" * 64},
    ],
)
def test_a_tampered_entry_is_found(tampering):
    write(5)
    AuditEntry.objects.filter(seq=3).update(**tampering)
    found = first_bad_entry()
    assert found is not None
    assert found.seq == 3


@pytest.mark.django_db
@pytest.mark.parametrize("seq", [1, 3])
def test_a_missing_entry_is_found(seq):
    write(5)
    AuditEntry.objects.filter(seq=seq).delete()
    found = first_bad_entry()
    assert found is not None
    assert found.seq == seq + 1


@pytest.mark.django_db
def test_entries_cut_off_at_the_end_are_found():
    write(5)
    AuditEntry.objects.filter(seq=5).delete()
    found = first_bad_entry()
    assert found is not None
    assert found.seq == 4


@pytest.mark.django_db(transaction=True)
def test_the_chain_holds_when_many_write_at_once():
    in_threads(WRITERS, lambda: [write() for _ in range(EACH)])
    assert AuditEntry.objects.count() == WRITERS * EACH
    assert AuditHead.objects.get().seq == WRITERS * EACH
    assert first_bad_entry() is None


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_leaves_no_gap():
    write()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        audit.write([Line(verb="added", subject="thing:1")], by="olga", at=timezone.now())
        _ = 1 / 0
    write()
    assert first_bad_entry() is None
