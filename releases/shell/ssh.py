"""Building the script that runs a block on another machine; pure. Values go through the connection, never into argv."""

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass

from releases.shell.bash import BASH_OWN, PREAMBLE, no_match_is_good

# What belongs to the machine that Gantry runs on.
HERE = frozenset(
    "PATH HOME USER LOGNAME SHELL PWD TMPDIR LD_LIBRARY_PATH SSH_AUTH_SOCK GIT_SSH_COMMAND".split()
)
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
OPTIONS = {
    "BatchMode": "yes",
    "ConnectTimeout": "10",
    "ServerAliveInterval": "15",
    "ServerAliveCountMax": "4",
    "StrictHostKeyChecking": "accept-new",
    "LogLevel": "ERROR",  # what ssh has to say of a key that it meets is no output of the block
}
# The connection stays open while the block runs: when it breaks, the leash at its other end ends the block there.
LOCAL = """\
__gantry_send() {{
  printf '%s\\n' {begin}
  for __gantry_name in {names}; do printf 'export %s=%q\\n' "$__gantry_name" "${{!__gantry_name}}"; done
  printf '%s\\n' {rest}
  exec tail -f /dev/null
}}
exec 9< <(__gantry_send)
__gantry_sender=$!
trap 'kill "$__gantry_sender" 2>/dev/null' EXIT
{ssh} <&9 2> {handed_on}
__gantry_status=$?
IFS= read -r -d '' __gantry_words < {handed_on}
printf '%s' "$__gantry_words" >&2
[ "$__gantry_status" -ne 255 ] || : > {handed_on} # cut off: what came of the variables may be half a value
exit "$__gantry_status"
"""
# All output goes one way, and what ssh keeps apart (3) carries the variables back; 4 is the connection.
BEGIN = "exec 3>&2 2>&1 4<&0"
# One compound command, so that bash has read all of it before the leash reads from the same place.
REST = """\
{{
__gantry_file=$(mktemp) || exit 1
{{ read -r _; kill -TERM 0; }} <&4 >/dev/null 2>&1 3>&- & __gantry_leash=$!
disown
trap 'kill "$__gantry_leash"; rm -f "$__gantry_file"' EXIT
(
exec </dev/null 3>&- 4<&-
[ -z "${{{folder}:-}}" ] || cd -- "${folder}" || exit 1
{preamble}
trap '__gantry_code=$?; set +e; {folder}=$PWD; unset {here}; (exit "$__gantry_code"); __gantry_hand_on' EXIT
eval {script}
)
__gantry_status=$?
{{ printf '\\0'; cat "$__gantry_file"; }} >&3
exit "$__gantry_status"
}}"""


@dataclass(frozen=True, kw_only=True)
class Target:
    """A machine: what the runbook calls it, where it is, and the files that prove one to the other."""

    name: str
    address: str
    port: int
    identity_file: str
    known_hosts: str


def argv(text: str, *, target: Target, names: Iterable[str], handed_on: str) -> tuple[str, ...]:
    """The argv that runs `text` as one bash script there; `names`: the variables of this process that go along.

    Its exit code is the script's, 255 when the connection failed; `handed_on` gets its variables as with bash.argv.
    """
    rest = REST.format(
        folder=folder_variable(target.name),
        here=" ".join(sorted(HERE)),
        preamble=PREAMBLE.format(path='"$__gantry_file"'),
        script=shlex.quote(no_match_is_good(text) + "\n"),
    )
    local = LOCAL.format(
        begin=shlex.quote(BEGIN),
        names=" ".join(name for name in names if _goes_along(name)),
        rest=shlex.quote(rest),
        ssh=shlex.join(command(target)),
        handed_on=shlex.quote(handed_on),
    )
    return ("bash", "-c", local, "bash")


def command(target: Target) -> tuple[str, ...]:
    """The ssh command that starts a bash which reads its script from the connection."""
    # A key that ssh meets for the first time goes into the first file.
    options = {**OPTIONS, "UserKnownHostsFile": f'"{target.known_hosts}" ~/.ssh/known_hosts'}
    flags = [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
    identity = ["-i", target.identity_file, "-o", "IdentitiesOnly=yes"] if target.identity_file else []
    return ("ssh", "-T", *flags, "-p", str(target.port), *identity, "--", target.address, "exec bash -s")


def folder_variable(host: str) -> str:
    """The variable that carries the folder from block to block: in the author's session `cd` holds on, too."""
    return "GANTRY_FOLDER_" + re.sub(r"\W", "_", host, flags=re.ASCII)


def _goes_along(name: str) -> bool:
    return bool(NAME.fullmatch(name)) and name not in HERE and not BASH_OWN.fullmatch(name)
