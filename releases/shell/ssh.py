"""Building ssh's command lines: one connection a host, which every later question goes through; pure."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from releases.shell.bash import BASH_OWN

# What belongs to the machine that Gantry runs on.
HERE = frozenset(
    "PATH HOME USER LOGNAME SHELL PWD TMPDIR LD_LIBRARY_PATH SSH_AUTH_SOCK GIT_SSH_COMMAND".split()
)
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
OPTIONS = {
    "BatchMode": "yes",
    "ConnectTimeout": "10",
    # A line that is dead is found so in a quarter of a minute: what runs there does not end with it.
    "ServerAliveInterval": "5",
    "ServerAliveCountMax": "3",
    "StrictHostKeyChecking": "accept-new",
    "LogLevel": "ERROR",  # what ssh has to say of a key that it meets is no output of the block
    # The user's configuration is honoured, except where it would make another kind of connection of this.
    "RemoteCommand": "none",
    "ClearAllForwardings": "yes",
}
LINGER = "60"  # seconds that the connection stays open when nobody uses it
# The path of a unix socket is short, and ssh writes a few characters more while it makes one.
LONGEST_SOCKET = 80
SOCKET_NAME = 16


@dataclass(frozen=True, kw_only=True)
class Target:
    """A machine: what the runbook calls it, where it is, and the files that prove one to the other.

    `control`: the folder in which open connections have their sockets.
    """

    name: str
    address: str
    port: int
    identity_file: str
    known_hosts: str
    control: str


def control_folder(var: Path, *, user: int) -> Path:
    """Where sockets of connections may lie: below Gantry's own folder, or where paths are short."""
    own = var / "ssh"
    return own if len(str(own)) + 1 + SOCKET_NAME <= LONGEST_SOCKET else Path(f"/tmp/gantry-ssh-{user}")


def socket(target: Target) -> str:
    """The socket of the connection to that machine as that user with that key."""
    told = (target.address, str(target.port), target.identity_file, target.known_hosts)
    return f"{target.control}/{hashlib.sha256(chr(0).join(told).encode()).hexdigest()[:SOCKET_NAME]}"


def connect(target: Target) -> tuple[str, ...]:
    """Open the connection that the others share, and return when it stands."""
    flags = ("-M", "-N", "-f", "-o", f"ControlPersist={LINGER}")
    return ("ssh", *flags, *_flags(target), "--", target.address)


def check(target: Target) -> tuple[str, ...]:
    """Does the connection stand? Asked of the process that holds it."""
    return ("ssh", "-O", "check", *_flags(target), "--", target.address)


def talk(target: Target) -> tuple[str, ...]:
    """A bash there that reads its program from our end of the line."""
    return ("ssh", "-o", "ControlMaster=no", *_flags(target), "--", target.address, "exec bash -s")


def _flags(target: Target) -> list[str]:
    options = {
        **OPTIONS,
        # A key that ssh meets for the first time goes into the first file.
        "UserKnownHostsFile": f'"{target.known_hosts}" ~/.ssh/known_hosts',
        "ControlPath": '"{}"'.format(socket(target).replace("%", "%%")),
    }
    flags = [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
    identity = ["-i", target.identity_file, "-o", "IdentitiesOnly=yes"] if target.identity_file else []
    return ["-T", *flags, "-p", str(target.port), *identity]


def folder_variable(host: str) -> str:
    """The variable that carries the folder from block to block: in the author's session `cd` holds on, too."""
    return "GANTRY_FOLDER_" + re.sub(r"\W", "_", host, flags=re.ASCII)


def going_along(names: Iterable[str]) -> list[str]:
    """The variables that a block takes to another machine: those that say nothing about this one."""
    return [
        name for name in names if NAME.fullmatch(name) and name not in HERE and not BASH_OWN.fullmatch(name)
    ]
