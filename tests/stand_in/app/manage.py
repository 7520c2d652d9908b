"""The stand-in's words for its own operations, as a Django project would have them: `manage.py WORD …`."""

import json
import os
import sys
from pathlib import Path

import database

HOME = Path(__file__).resolve().parent
APP = json.loads((HOME / "app.json").read_text())
STATE = Path(os.environ["STATE"])
FEATURES = STATE / "features.json"


def check(*options: str) -> None:
    database.ask("SELECT 1")
    print("System check identified no issues (0 silenced).")


def maintenance_mode(word: str) -> None:
    if word == "on":
        (STATE / "maintenance").touch()
    else:
        (STATE / "maintenance").unlink(missing_ok=True)
    print(f"maintenance is {word}")


def migrate(*options: str) -> None:
    """Every migration that was not applied yet; with --plan only its name."""
    database.script("CREATE TABLE IF NOT EXISTS applied (name TEXT PRIMARY KEY)")
    done = {name for (name,) in database.ask("SELECT name FROM applied")}
    for file in _migrations():
        if file.name in done:
            continue
        if "--plan" not in options:
            database.script(f"{file.read_text()}; INSERT INTO applied VALUES ('{file.name}')")
        print("Applying" if "--plan" not in options else "Would apply", file.name)


def showmigrations(*options: str) -> None:
    done = {name for (name,) in database.ask("SELECT name FROM applied")}
    for file in _migrations():
        print(f" [{'X' if file.name in done else ' '}] {file.stem}")


def configure_features(*options: str) -> None:
    """--enable F, --disable F, --enable-all, --disable-all…, --set K=V."""
    state = _features()
    words = iter(options)
    for word in words:
        if word.startswith(("--enable-all", "--disable-all")):
            state["features"] = dict.fromkeys(APP["features"], word.startswith("--enable"))
        elif word == "--set":
            key, _, value = next(words).partition("=")
            state["settings"][key] = value
        else:
            state["features"][next(words)] = word == "--enable"
    FEATURES.write_text(json.dumps(state))
    print(f"configured: {' '.join(options)}")


def show_config(*options: str) -> None:
    print(json.dumps(_features() | {"version": APP["version"]}))


def clear_cache() -> None:
    print("the cache is empty")


def collectstatic(*options: str) -> None:
    (HOME / "var").mkdir(exist_ok=True)
    print("3 static files copied")


def dbshell(option: str, statement: str) -> None:
    print(database.ask(statement))


def test_bot_message(*options: str) -> None:
    print(f"a message was answered for {' '.join(options)}")


def baseline(word: str, *options: str) -> None:
    """`record` writes the numbers down; `compare --p95 10 --errors 0.5` fails when they are that much worse."""
    import urllib.request

    with urllib.request.urlopen(f"http://127.0.0.1:{os.environ['PORT']}/stats", timeout=5) as answer:
        now = json.load(answer)
    kept = STATE / "baseline.json"
    if word == "record":
        kept.write_text(json.dumps(now))
        print(f"recorded: {json.dumps(now)}")
        return
    before = json.loads(kept.read_text())
    asked = dict(zip(options[::2], options[1::2], strict=True))
    print(
        f"p95 {before['p95_ms']} → {now['p95_ms']} ms, errors {before['error_rate']} → {now['error_rate']} %"
    )
    if now["p95_ms"] > before["p95_ms"] * (1 + float(asked["--p95"]) / 100):
        sys.exit("slower than the baseline allows")
    if now["error_rate"] > before["error_rate"] + float(asked["--errors"]):
        sys.exit("more errors than the baseline allows")


def _migrations() -> list[Path]:
    return sorted((HOME / APP["migrations"]).glob("*.sql"))


def _features() -> dict[str, dict[str, object]]:
    if FEATURES.exists():
        return json.loads(FEATURES.read_text())
    return {"features": dict.fromkeys(APP["features"], False), "settings": {}}


WORDS = {
    word.__name__: word
    for word in (
        check,
        maintenance_mode,
        migrate,
        showmigrations,
        configure_features,
        show_config,
        clear_cache,
        collectstatic,
        dbshell,
        test_bot_message,
        baseline,
    )
} | {
    "configure_ux_features": configure_features,
    "show_ux_config": show_config,
    "test_product_discovery": test_bot_message,
}

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in WORDS:
        sys.exit(f"Unknown command: {sys.argv[1:2]}")
    WORDS[sys.argv[1]](*sys.argv[2:])
