"""A request that the runbook makes, and what should come back."""

import json
import re
import sys
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

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
# Up to where a value may be an address or a part of one.
AUTHORITY = re.compile(r"(?:[^/?#]*://)?[^/?#]*")
JSON_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
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

    def probe(self, action: PlannedAction, context: Context) -> bool | None:
        """A request that by its method changes nothing may be made again."""
        asks = action.options.get("method", "GET").upper() in FOLLOWED
        return False if asks else super().probe(action, context)

    def confirm(self, action: PlannedAction, context: Context) -> Observation:
        """Judge the answer."""
        if HOST in action.options:
            return super().confirm(action, context)
        answer = _answer(context)
        if not answer:
            return Observation(done=False, message="there was no answer")
        status, body, ms = answer["status"], answer["body"], answer["ms"]
        judged = judge_answer(action.expects, body, ms / 1000, status=status)
        evidence = {"status": status, "ms": ms, "answer": _shown(body), "expected": action.expects}
        return as_judged(judged.verdict, judged.message, evidence)


def _shown(body: str) -> str:
    """The beginning of an answer; the mark tells the masking that a secret may have been cut there."""
    return body if len(body) <= SHOWN else body[:SHOWN] + "…"


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
        url = _url(options["url"], variables)
        headers = [
            (name, expanded(value, variables)) for name, value in json.loads(options.get("headers") or "[]")
        ]
        body = _body(options.get("body", ""), variables)
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


def _url(text: str, variables: Mapping[str, str]) -> str:
    """The address with its variables: as they are up to the host, after that none can add a part or a parameter."""
    start = AUTHORITY.match(text).end()  # type: ignore[union-attr]  # it matches the empty text, too
    path, mark, query = text[start:].partition("?")
    inner = {name: quote(value, safe="/", errors="surrogateescape") for name, value in variables.items()}
    asked = {name: quote(value, safe="", errors="surrogateescape") for name, value in variables.items()}
    return expanded(text[:start], variables) + expanded(path, inner) + mark + expanded(query, asked)


def _body(text: str, variables: Mapping[str, str]) -> str:
    """The body with its variables; in JSON a value stays within its string, and outside of one is a value."""
    if text.lstrip()[:1] not in ("{", "["):
        return expanded(text, variables)
    inner = {name: json.dumps(value, ensure_ascii=False)[1:-1] for name, value in variables.items()}
    whole = {name: _value(value) for name, value in variables.items()}
    parts, place = [], 0
    for found in JSON_STRING.finditer(text):
        parts += [expanded(text[place : found.start()], whole), expanded(found[0], inner)]
        place = found.end()
    return "".join([*parts, expanded(text[place:], whole)])


def _value(text: str) -> str:
    """The text when it is one value of JSON, else a string of it."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return json.dumps(text, ensure_ascii=False)
    return text
