"""Asks the notice board for its notes: `probe.py BASE_URL`. Exit 0 when the list comes."""

import json
import sys
import urllib.error
import urllib.request

url = sys.argv[1].rstrip("/") + "/notes"
try:
    with urllib.request.urlopen(url, timeout=5) as response:
        print(f"{url}: {response.status}, {len(json.load(response)['notes'])} notes")
except urllib.error.HTTPError as answer:
    sys.exit(f"{url}: {answer.code} {answer.read().decode()[:200]}")
except OSError as error:
    sys.exit(f"{url}: no answer ({error})")
