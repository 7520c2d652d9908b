"""The shop's own process records, used for the demo's processes too: one definition, kept in the shop's tree."""

import importlib.util
from pathlib import Path

_FILE = Path(__file__).parent / "shop" / "v1.0" / "shop" / "processes.py"
_SPEC = importlib.util.spec_from_file_location("demo_shop_processes", _FILE)
assert _SPEC
assert _SPEC.loader
_MODULE = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_MODULE)

record = _MODULE.record
running = _MODULE.running
ask_to_end = _MODULE.ask_to_end
await_end = _MODULE.await_end
