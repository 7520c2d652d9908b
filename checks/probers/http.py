"""Kind `http`: status, latency, headers and JSON body of a page."""

from urllib.parse import urlsplit

from checks.conditions import read_json
from checks.errors import UnknownVariable, Unreachable
from checks.gates.net import REDIRECTS, Response, fetch
from checks.probers.base import (
    Answer,
    Question,
    answer,
    error,
    expanded,
    failed,
    problem,
    shape_problems,
    table,
)
from checks.problems import Problem


class HttpProber:
    """Target: a path below the environment's base URL, or a whole URL. Passes below status 400 by default."""

    fields = ("STATUS", "RESPONSE_TIME", "BODY", "HEADER")
    options = {"method": str, "headers": dict, "body": str, "redirects": int}
    conditions = ("[STATUS] < 400",)

    def problems(self, question: Question) -> list[Problem]:
        """Also a target that is neither a path nor an http(s) URL."""
        return [*shape_problems(question, self), *_target_problems(question)]

    async def ask(self, question: Question) -> Answer:
        """FAILED when nobody answers in time and bounds; facts BODY is JSON if the body is, else its text."""
        try:
            response = await _fetch(question)
        except UnknownVariable as unknown:
            return error(str(unknown))
        except Unreachable as unreachable:
            return failed(str(unreachable))
        return answer(question, _facts(response), elapsed_ms=response.elapsed_ms, conditions=self.conditions)


def _target_problems(question: Question) -> list[Problem]:
    target = question.target
    if target.startswith(("/", "$")) or urlsplit(target).scheme in ("http", "https"):
        return []
    hint = "give a path such as /health/ready, or a URL that begins with http:// or https://"
    return [problem(f"target {target!r} is not a page", hint, "target", "probe-target")]


async def _fetch(question: Question) -> Response:
    options, variables = question.options, question.variables
    return await fetch(
        url_of(question),
        method=str(options.get("method", "GET")),
        headers={name: expanded(value, variables) for name, value in table(options, "headers").items()},
        body=expanded(str(options["body"]), variables) if "body" in options else None,
        timeout=question.timeout,
        redirects=int(str(options.get("redirects", REDIRECTS))),
    )


def url_of(question: Question) -> str:
    """The page that is asked; raises UnknownVariable."""
    target = expanded(question.target, question.variables)
    return question.base_url.rstrip("/") + target if target.startswith("/") else target


def _facts(response: Response) -> dict[str, object]:
    return {
        "STATUS": response.status,
        "RESPONSE_TIME": round(response.elapsed_ms, 3),
        "BODY": _body(response.body),
        "HEADER": response.headers,
    }


def _body(body: bytes) -> object:
    try:
        return read_json(body)
    except ValueError:
        return body.decode("utf-8", "replace")
