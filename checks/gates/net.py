"""The only place that speaks HTTP and TCP."""

import asyncio
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from checks.errors import Unreachable

if TYPE_CHECKING:
    import aiohttp

MEBIBYTE = 1024 * 1024
REDIRECTS = 5
USER_AGENT = "Gantry"


@dataclass(frozen=True, kw_only=True)
class Response:
    """What came back; header names in lower case, the body whole (a larger one is Unreachable)."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    elapsed_ms: float


async def fetch(
    url: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes | str | None = None,
    timeout: float = 10.0,
    max_body: int = MEBIBYTE,
    redirects: int = REDIRECTS,
) -> Response:
    """One request on a connection of its own; any status is an answer. Raises Unreachable for all else.

    Follows at most `redirects` redirects (0: the redirect is the answer); proxy variables are not used.
    """
    import aiohttp  # 0.1 s of start-up that most commands never need

    named = {"User-Agent": USER_AGENT, **(headers or {})}
    try:
        async with asyncio.timeout(timeout):
            return await _exchange(url, method, named, body, max_body, redirects)
    except TimeoutError:
        raise Unreachable(f"{url}: no complete answer within {timeout:g} s") from None
    except aiohttp.TooManyRedirects:
        raise Unreachable(f"{url}: more than {redirects} redirects") from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise Unreachable(f"{url}: {_cause(error)}") from error


async def _exchange(
    url: str, method: str, headers: Mapping[str, str], body: bytes | str | None, max_body: int, redirects: int
) -> Response:
    import aiohttp  # as above

    started = time.monotonic()
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True), trust_env=False) as session,
        session.request(
            method,
            url,
            headers=headers,
            data=body,
            allow_redirects=redirects > 0,
            max_redirects=redirects + 1,
            timeout=aiohttp.ClientTimeout(total=None),
        ) as answer,
    ):
        whole = await _bounded(url, answer, max_body)
        elapsed_ms = (time.monotonic() - started) * 1000
        return Response(status=answer.status, headers=_flat(answer), body=whole, elapsed_ms=elapsed_ms)


def _flat(answer: "aiohttp.ClientResponse") -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, value in answer.headers.items():
        key = name.lower()
        flat[key] = f"{flat[key]}, {value}" if key in flat else value
    return flat


async def _bounded(url: str, answer: "aiohttp.ClientResponse", limit: int) -> bytes:
    body = bytearray()
    async for chunk in answer.content.iter_chunked(65536):
        body += chunk
        if len(body) > limit:
            raise Unreachable(f"{url}: the answer is larger than {limit} bytes")
    return bytes(body)


def _cause(error: Exception) -> str:
    reason = getattr(error, "os_error", None) or error
    text = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
    # asyncio writes the address where the system's word for it ("Connection refused") belongs.
    if str(text).startswith("Connect call failed") and isinstance(reason, OSError) and reason.errno:
        text = os.strerror(reason.errno)
    return " ".join(str(text).split())


async def connect(host: str, port: int, *, timeout: float = 10.0) -> float:
    """Milliseconds until the connection stood (it is closed at once); raises Unreachable."""
    started = time.monotonic()
    try:
        async with asyncio.timeout(timeout):
            _, writer = await asyncio.open_connection(host, port)
    except TimeoutError:
        raise Unreachable(f"{host}:{port}: no connection within {timeout:g} s") from None
    except (OSError, ValueError, OverflowError) as error:
        raise Unreachable(f"{host}:{port}: {_cause(error)}") from error
    elapsed = (time.monotonic() - started) * 1000
    writer.close()
    return elapsed


def get(
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    timeout: float = 10.0,
    redirects: int = REDIRECTS,
) -> Response:
    """A single GET for callers without an event loop; raises Unreachable."""
    return asyncio.run(fetch(url, headers=headers, timeout=timeout, redirects=redirects))
