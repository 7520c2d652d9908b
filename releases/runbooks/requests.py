"""A block that is wholly one HTTP call: curl, wget, HTTPie or an `http` fence."""

import json
import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import quote

from .document import Http
from .script import lines

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
METHOD_LINE = re.compile(
    rf"({'|'.join(METHODS)})\s+((?:\{{\{{[^}}]*\}}\}}|(?!\{{\{{)\S)+)(?:\s+HTTP/[\d.]+)?\s*$"
)
HEADER = re.compile(r"([A-Za-z][\w-]*):\s*(.*)$")
# Outside quotes: another command, a redirection; inside or outside: what only a shell can work out.
BESIDE = re.compile(r"[|;&<>()]")
QUOTED = re.compile(r"'[^']*'|\"(?:\\.|[^\"\\])*\"|\\.")
COMPUTED = re.compile(r"\$\(|`|\$\{\w+[^}\w]|\\\$|\$[\d@*#?!$'\"-]")
PLACEHOLDER = re.compile(r"<[A-Za-z][\w.:/-]{0,40}>")
FORM = ("Content-Type", "application/x-www-form-urlencoded")
JSON = ("Content-Type", "application/json")

# Options of curl that do not change what is asked, without and with a value.
CURL_FLAGS = frozenset(
    "-s -S -f -L -v -i -g -N -# --silent --show-error --fail --location --verbose --include --compressed --globoff"
    " --fail-with-body --no-buffer --progress-bar --http1.1 --http2 --no-progress-meter --retry-connrefused"
    " --retry-all-errors".split()
)
CURL_VALUES = frozenset(
    "-m --max-time --connect-timeout --retry --retry-delay --retry-max-time -w --write-out".split()
)
CURL_LONG = {
    "-X": "--request",
    "-H": "--header",
    "-d": "--data",
    "-A": "--user-agent",
    "-e": "--referer",
    "-b": "--cookie",
    "-o": "--output",
    "-I": "--head",
    "-G": "--get",
}
CURL_HEADERS = {"--user-agent": "User-Agent", "--referer": "Referer", "--cookie": "Cookie"}
CURL_DATA = ("--data", "--data-raw", "--data-binary", "--data-ascii", "--data-urlencode", "--json")
SHORT_WITH_VALUE = "XHdAebowm"
HTTPIE_FLAGS = frozenset("--check-status --ignore-stdin --follow -b -h --body --headers --json -j".split())
HTTPIE_PART = re.compile(r"([\w.-]+)(:=|==|=|:)(.*)$")


class _Unclear(Exception):
    """The call does what a plain request cannot say."""


@dataclass
class _Call:
    """A call while its words are read."""

    method: str = ""
    urls: list[str] = field(default_factory=list)
    headers: list[tuple[str, str]] = field(default_factory=list)
    data: list[str] = field(default_factory=list)
    as_query: bool = False

    def http(self) -> Http:
        if len(self.urls) != 1:
            raise _Unclear
        url, body = self.urls[0], "&".join(self.data)
        if self.as_query:
            url, body = f"{url}{'&' if '?' in url else '?'}{body}", ""
        headers = tuple(self.headers)
        if body and not any(name.lower() == "content-type" for name, _ in headers):
            headers = (*headers, FORM)
        return Http(
            method=self.method or ("POST" if body else "GET"), url=_absolute(url), headers=headers, body=body
        )


def request_of(script: str) -> Http | None:
    """The request that the script makes, when it is one call and nothing else; $VARIABLES stay names."""
    rows = lines(script)
    reader = READERS.get(rows[0].split()[0]) if len(rows) == 1 else None
    if not reader or _needs_a_shell(rows[0]):
        return None
    try:
        return reader(_Call(), iter(shlex.split(rows[0])[1:])).http()
    except (ValueError, StopIteration, _Unclear):
        return None


def _needs_a_shell(row: str) -> bool:
    """Does it pipe, redirect or compute, or spell a dollar that no variable is meant by?"""
    if COMPUTED.search(row) or BESIDE.search(PLACEHOLDER.sub("", QUOTED.sub("", row))):
        return True
    return any(part[0] == "'" and re.search(r"\$[A-Za-z_{]", part) for part in QUOTED.findall(row))


def request_in(text: str) -> Http | None:
    """The request of an `http` fence: method and address, headers, an empty line, the body."""
    rows = [row for row in text.strip("\n").split("\n") if not row.startswith(("#", "//"))]
    while rows and not rows[0].strip():
        rows.pop(0)
    first = METHOD_LINE.match(rows[0].strip()) if rows else None
    if not first:
        return None
    head, _, body = "\n".join(rows[1:]).partition("\n\n")
    headers = [HEADER.match(row.strip()) for row in head.split("\n") if row.strip()]
    if not all(headers) or METHOD_LINE.search(body):
        return None
    pairs = [(found[1], found[2].strip()) for found in headers if found]
    url = first[2]
    if url.startswith("/"):
        host = next((value for name, value in pairs if name.lower() == "host"), "")
        url = f"https://{host}{url}" if host else f"$BASE_URL{url}"
    kept = tuple((name, value) for name, value in pairs if name.lower() != "host")
    return Http(method=first[1], url=_absolute(url), headers=kept, body=body.strip("\n"))


def _curl(call: _Call, words: Iterator[str]) -> _Call:
    for word in words:
        for option, value in _options(word):
            if value is None and (option in CURL_LONG.values() and option not in ("--head", "--get")):
                value = next(words)
            _curl_option(call, option, value, words)
    return call


def _options(word: str) -> Iterator[tuple[str, str | None]]:
    """-sSXPOST as -s, -S, --request POST; --data=x as --data x; an address as ("", address)."""
    if not word.startswith("-") or word == "-":
        yield "", word
        return
    if word.startswith("--"):
        name, equals, value = word.partition("=")
        yield name, value if equals else None
        return
    for place, letter in enumerate(word[1:], start=1):
        name = CURL_LONG.get(f"-{letter}", f"-{letter}")
        if letter in SHORT_WITH_VALUE:
            yield name, word[place + 1 :] or None
            return
        yield name, None


def _curl_option(call: _Call, option: str, value: str | None, words: Iterator[str]) -> None:
    if option in CURL_FLAGS:
        return
    if option in CURL_VALUES:
        _ = value or next(words)
    elif option == "--head":
        call.method = "HEAD"
    elif option == "--get":
        call.as_query, call.method = True, "GET"
    elif option in ("", "--url"):
        call.urls.append(value or next(words))
    else:
        _curl_value(call, option, value or next(words))


def _curl_value(call: _Call, option: str, value: str) -> None:
    if option == "--request" and value.upper() in METHODS:
        call.method = value.upper()
    elif option == "--header":
        call.headers.append(_header(value))
    elif option in CURL_HEADERS:
        call.headers.append((CURL_HEADERS[option], value))
    elif option == "--output" and value == "/dev/null":
        return
    elif option in CURL_DATA and not value.startswith("@"):
        call.data.append(_encoded(value) if option == "--data-urlencode" else value)
        call.headers += [JSON, ("Accept", "application/json")] if option == "--json" else []
    else:
        raise _Unclear


def _header(text: str) -> tuple[str, str]:
    found = HEADER.match(text)
    if not found:
        raise _Unclear
    return found[1], found[2].strip()


def _encoded(text: str) -> str:
    name, equals, value = text.partition("=")
    if "$" in value or "@" in name or not equals:
        raise _Unclear
    return f"{name}={quote(value, safe='')}"


def _wget(call: _Call, words: Iterator[str]) -> _Call:
    """Only a wget that prints or throws the answer away; any other writes a file."""
    prints = False
    for word in words:
        if word in ("-qO-", "-qO", "-O-", "-O", "--output-document"):
            prints = word.endswith("-") or next(words) in ("-", "/dev/null")
        elif word == "--spider":
            prints, call.method = True, "HEAD"
        elif word.startswith("--header"):
            call.headers.append(_header(word.partition("=")[2] or next(words)))
        elif word.startswith(("--post-data=", "--body-data=")):
            call.data.append(word.partition("=")[2])
        elif not word.startswith("-"):
            call.urls.append(word)
        elif word not in ("-q", "--quiet", "-nv", "-S", "--server-response") and not word.startswith(
            ("--timeout=", "--tries=")
        ):
            raise _Unclear
    if not prints:
        raise _Unclear
    return call


def _httpie(call: _Call, words: Iterator[str]) -> _Call:
    fields: dict[str, object] = {}
    for word in words:
        part = HTTPIE_PART.match(word) if call.urls and not word.startswith("-") else None
        if part:
            _httpie_part(call, fields, *part.groups())
        elif word in METHODS and not call.urls:
            call.method = word
        elif not word.startswith("-"):
            call.urls.append(f"http://localhost{word}" if word.startswith(":") else word)
        elif word not in HTTPIE_FLAGS:
            raise _Unclear
    if fields:
        call.data.append(json.dumps(fields, ensure_ascii=False))
        call.headers.append(JSON)
    return call


def _httpie_part(call: _Call, fields: dict[str, object], name: str, sign: str, value: str) -> None:
    if sign == ":":
        call.headers.append((name, value))
    elif sign == "==":
        call.urls[0] += f"{'&' if '?' in call.urls[0] else '?'}{name}={quote(value, safe='$')}"
    else:
        fields[name] = json.loads(value) if sign == ":=" else value


def _absolute(url: str) -> str:
    """With a scheme, unless a variable or a placeholder may bring its own."""
    return url if re.match(r"\w+://|\$|\W{1,2}\s?[\w -]*ur[li]\b", url, re.IGNORECASE) else f"http://{url}"


READERS: dict[str, Callable[[_Call, Iterator[str]], _Call]] = {
    "curl": _curl,
    "wget": _wget,
    "http": _httpie,
    "https": _httpie,
}
