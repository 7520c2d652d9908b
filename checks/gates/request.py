"""One HTTP request as a process of its own: `python -m checks.gates.request`, told by GANTRY_REQUEST (JSON).

So it runs behind the gate like every other effect, and whoever waits for it stays awake.
"""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from checks.errors import Unreachable
from checks.gates.net import Response, fetch

SHOWN = 4000


def main() -> int:
    """Print what was answered and write it to the file `results`; 1 when nobody answered."""
    order = json.loads(os.environ["GANTRY_REQUEST"])
    try:
        response = asyncio.run(_ask(order))
    except Unreachable as error:
        print(error)
        return 1
    result = _result(response)
    Path(order["results"]).write_text(json.dumps(result))
    print(f"{order['method']} {order['url']}: {result['status']} in {result['ms']:.0f} ms")
    # The mark tells the masking that a secret may have been cut there.
    print(result["body"] if len(result["body"]) <= SHOWN else result["body"][:SHOWN] + "…")
    return 0


async def _ask(order: dict[str, Any]) -> Response:
    return await fetch(
        order["url"],
        method=order["method"],
        headers=dict(order["headers"]),
        body=order["body"].encode() or None,
        timeout=order["timeout"],
        redirects=order["redirects"],
    )


def _result(response: Response) -> dict[str, Any]:
    return {
        "status": response.status,
        "ms": round(response.elapsed_ms, 3),
        "headers": dict(response.headers),
        "body": response.body.decode("utf-8", "replace"),
    }


if __name__ == "__main__":
    sys.exit(main())
