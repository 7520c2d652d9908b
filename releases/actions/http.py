"""A request that the runbook makes, and what should come back."""

import json
import re
import sys
from collections.abc import Mapping
from typing import Any

from django.conf import settings

from checks.errors import UnknownVariable
from checks.gates.net import REDIRECTS
from checks.gates.process import Command
from checks.outputs import judge_answer
from checks.probers.base import expanded
from releases.actions.base import HOST, Context, Observation, as_judged, script_command
from releases.actions.shell import Shell
from releases.errors import WrongUsage
from releases.plan.model import PlannedAction

TIMEOUT = 30.0
FOLLOWED = ("GET", "HEAD")
# Where an environment keeps certificates of its own; OpenSSL reads these.
TRUST = ("SSL_CERT_FILE", "SSL_CERT_DIR")
REDIRECTION = re.compile(r"\b3(?:\d\d|xx)\b", re.IGNORECASE)
SHOWN = 2000


class Http(Shell):
    """Asks once; done when the answer is as expected, without an expectation when its status is below 400."""

    def command(self, action: PlannedAction, context: Context) -> Command:
        """One process that makes the request; on a host the author's own command, for `localhost` is that machine."""
        if HOST in action.options:
            return script_command(action.text, action, context)
        limit = action.number("timeout", TIMEOUT)
        request = _request(action, context.variables)
        order = {**request, "timeout": limit, "results": str(context.handed_on)}
        return Command(
            argv=(sys.executable, "-m", "checks.gates.request"),
            env={
                "PYTHONPATH": str(settings.BASE_DIR),
                "LANG": "C.UTF-8",
                "GANTRY_REQUEST": json.dumps(order),
                **{name: context.variables[name] for name in TRUST if name in context.variables},
            },
            cwd=str(settings.BASE_DIR),
            timeout=limit + 5.0,
            silence=limit + 5.0,
        )

    def confirm(self, action: PlannedAction, context: Context) -> Observation:
        """Judge the answer."""
        if HOST in action.options:
            return super().confirm(action, context)
        answer = _answer(context)
        if not answer:
            return Observation(done=False, message="there was no answer")
        status, body, ms = answer["status"], answer["body"], answer["ms"]
        judged = judge_answer(action.expects, body, ms / 1000, status=status)
        evidence = {"status": status, "ms": ms, "answer": body[:SHOWN], "expected": action.expects}
        return as_judged(judged.verdict, judged.message, evidence)


def _answer(context: Context) -> dict[str, Any]:
    """What the process wrote at its end; empty when it did not come so far."""
    try:
        return json.loads(context.handed_on.read_text())
    except (OSError, ValueError):
        return {}


def _request(action: PlannedAction, variables: Mapping[str, str]) -> dict[str, object]:
    """The request with its variables filled in; raises WrongUsage for one that is not set."""
    options = action.options
    method = options.get("method", "GET").upper()
    try:
        url = expanded(options["url"], variables)
        headers = [
            (name, expanded(value, variables)) for name, value in json.loads(options.get("headers") or "[]")
        ]
        body = expanded(options.get("body", ""), variables)
    except UnknownVariable as unknown:
        raise WrongUsage(f"line {action.line}: {unknown}") from None
    follows = method in FOLLOWED and not REDIRECTION.search(action.expects)
    return {
        "method": method,
        "url": url,
        "headers": headers,
        "body": body,
        "redirects": REDIRECTS if follows else 0,
    }
