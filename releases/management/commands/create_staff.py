"""`create_staff`"""

import secrets
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User

from releases.management.base import Command as Base
from releases.management.base import by_seat, now
from releases.models import Grant
from releases.recorder import Add, record

STAFF = {"rita": "release_manager", "anton": "approver", "olga": "operator"}


class Command(Base):
    """Create one staff user a role, for a first look."""

    help = (
        "Create a release manager (rita), an approver (anton) and an operator (olga), "
        "with random passwords that are printed once."
    )
    examples = "  manage.py create_staff"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Format."""
        parser.add_argument("--json", action="store_true", help="print {user: password} for those made new")
        parser.add_argument("--renew", action="store_true", help="give those that exist a new password too")

    def run(self, *, json: bool, renew: bool, **options: Any) -> int:
        """Create those that are missing."""
        made = {
            name: password for name, role in STAFF.items() if (password := _create(name, role, renew=renew))
        }
        if json:
            self.print_json(made)
            return 0
        for name, password in made.items():
            self.say(f"{name:<8} {STAFF[name]:<16} {password}")
        if not made:
            self.say("rita, anton and olga exist already; --renew gives them new passwords")
        return 0


def _create(name: str, role: str, *, renew: bool) -> str:
    user, is_new = User.objects.get_or_create(username=name, defaults={"is_staff": True})
    if is_new:
        record(Add(Grant(user=user, role=role)), by=by_seat(), at=now())
    if not is_new and not renew:
        return ""
    password = secrets.token_urlsafe(12)
    user.set_password(password)
    user.save(update_fields=["password"])
    return password
