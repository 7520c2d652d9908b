"""Writing and proving the audit trail: sha256 over each entry and the hash before it."""

import getpass
import hashlib
import json
import os
import socket
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from checks.models import AuditEntry, AuditHead


@dataclass(frozen=True, kw_only=True)
class Line:
    """What one change leaves in the audit trail."""

    verb: str
    subject: str
    old: dict[str, Any] = field(default_factory=dict)
    new: dict[str, Any] = field(default_factory=dict)


def subject_of(row: models.Model) -> str:
    """The name of a row in the audit trail: `deployment:12`."""
    return f"{row._meta.model_name}:{row.pk}"


@lru_cache(maxsize=1)
def seat() -> str:
    """The operating system's user and host, audited beside every actor: `root@build-1`."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


def write(lines: Iterable[Line], *, by: str, at: datetime, why: str = "") -> None:
    """Append the lines; call it last inside the transaction, for the head row is locked until its end."""
    head = _locked_head()
    entries = []
    for line in lines:
        entry = AuditEntry(
            seq=head.seq + 1,
            prev=head.hash,
            at=at,
            actor=f"{by} ({seat()})"[:200],
            verb=line.verb,
            subject=line.subject,
            old=_plain(line.old),
            new=_plain(line.new),
            reason=why,
        )
        entry.hash = digest(entry)
        head.seq, head.hash = entry.seq, entry.hash
        entries.append(entry)
    AuditEntry.objects.bulk_create(entries)
    head.save(update_fields=["seq", "hash"])


def _locked_head() -> AuditHead:
    head = AuditHead.objects.select_for_update().filter(pk=1).first()
    if head:
        return head
    AuditHead.objects.get_or_create(pk=1)
    return AuditHead.objects.select_for_update().get(pk=1)


def digest(entry: AuditEntry) -> str:
    """The sha256 (hex) of an entry's content and of the hash before it."""
    content = [
        entry.seq,
        entry.prev,
        entry.at.astimezone(UTC).isoformat(),
        entry.actor,
        entry.verb,
        entry.subject,
        entry.old,
        entry.new,
        entry.reason,
    ]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps(values, cls=DjangoJSONEncoder))


def first_bad_entry() -> AuditEntry | None:
    """The first entry whose hash or chain does not hold, or the last one when the end is missing; None: all hold."""
    head = AuditHead.objects.filter(pk=1).first() or AuditHead()
    last = AuditEntry(seq=0)
    for number, entry in enumerate(AuditEntry.objects.order_by("seq").iterator(), start=1):
        if entry.seq != number or entry.prev != last.hash or entry.hash != digest(entry):
            return entry
        last = entry
    # The head was read first: entries beyond it were written meanwhile.
    return last if last.seq < head.seq else None
