"""What programs make of their arguments: which of them may be given a value that somebody else wrote."""

# ruff: noqa: E501 (the names of programs stay one table)

import re
from collections.abc import Sequence
from itertools import dropwhile, pairwise
from pathlib import PurePosixPath

from .lexing import ASSIGNED

# Named anywhere in a command, these run what they are given or read a program from it.
RUNNERS = re.compile(
    r"(?:sh|bash|zsh|ksh|mksh|dash|ash|csh|tcsh|fish|rbash|busybox|eval|source|ssh|sshpass|mosh|xargs|parallel|su|runuser"
    r"|chroot|nsenter|unshare|setsid|strace|python|pypy|ipython|perl|ruby|irb|php|lua|luajit|tclsh|wish|expect|osascript|awk|gawk"
    r"|mawk|nawk|sed|gsed|jq|yq|bc|dc|m4|gdb|Rscript|mongo|mongosh|sqlite|sqlite3|sqlcmd|sqlplus|clickhouse-client|cqlsh|duckdb"
    r"|tinker|runner|shell|shell_plus|dbshell|send-command|send-keys|systemd-run|screen|tmux|ansible|ansible-playbook|pwsh"
    r"|powershell)[\d.]*(?:\.exe)?"
)
# As the program of a command, these do so, or the shell reads their arguments as names, arithmetic or its own text.
TAKING = frozenset(
    ". : trap find fd env watch flock script at batch crontab node nodejs deno bun make gmake rake let unset read readarray mapfile"
    " getopts set bind complete compgen fc wait builtin command doas pkexec timeout nice stdbuf time ed ex vi vim nvim emacs"
    " nano entr for fi done } [ local ftp lftp sftp telnet iex elixir erl scala groovy jshell java ghci ocaml guile"
    " sbcl gnuplot octave tcl dialog ionice taskset chrt caffeinate dbus-run-session xvfb-run start-stop-daemon unbuffer"
    " perf ltrace gosu tini dumb-init daemonize forever nodemon npx bunx".split()
)
# Through these, what is piped into them stays text.
FILTERS = frozenset(
    "cat tee grep egrep fgrep sort uniq head tail wc cut tr gzip gunzip zcat zstd base64 sha256sum md5sum column".split()
)
# These print what files hold, never their arguments; so their output may go to a database.
PRINTING_FILES = frozenset("cat zcat gunzip gzip zstd bzcat xzcat pg_dump pg_restore mysqldump".split())
DATABASES = frozenset("psql mysql mariadb pg_restore".split())
LOOK = re.compile(r"(?:\S*/)?(?:jq(?: -\w+)* (?:'[^'\0]*'|[\w.]+)|python3? -m json\.tool) ")
WRAPPED = re.compile(
    r"(?:(?:sudo(?: -[EHn]+| -u [\w.-]+)*|nohup|(?:[\w./-]*/)?timeout \d+[smhd]?"
    r"|(?:[\w./~-]*/)?python[\d.]*(?: -u)?(?: -m(?= pip )| (?=[\w./~-]*\.py ))) ?)+"
)
PROGRAM = re.compile(r"(?:(?:[\w.~/+-]|\$\{?\w+\}?)*/)?([\w.][\w.+-]*)")
# What follows these is code to most programs, and no more than a value to those.
CODE_OPTION = re.compile(
    r"-[A-Za-z]*[ceEQ]|--?[\w-]*(?:command|cmd|exec|execute|eval|expression|rsh|action|query|script|hook|shell|program)[\w-]*"
)
GLUED = re.compile(
    r"[\"']?(?:-[A-Za-z]*[ceEQ]|--?[\w-]*(?:command|cmd|exec|eval|expression|rsh|action|query|script|hook|shell|program)[\w-]*=).*\0"
)
NO_CODE = frozenset(
    "curl wget echo grep egrep fgrep gzip gunzip zcat zstd tail head wc cut sort ping gunicorn helm ls cp mv".split()
)
CONTAINERS = frozenset("docker podman docker-compose".split())
NAMES_OF = {"printf": ("-v",), "test": ("-v", "-R"), "psql": ("-v", "--set", "--variable")}
# Names that bash or a program reads as more than a value.
MEANING = re.compile(
    r"BASH\w*|ENV|IFS|\w*PATH|PS\d|PROMPT\w*|OPT\w+|SECONDS|S?RANDOM|LINENO|HIST\w*|E?UID|PPID|EPOCH\w*|COMP\w*|DIRSTACK|SHELL\w*"
    r"|LD_\w+|DYLD_\w+|PYTHON\w*|PERL\w*|RUBY\w*|NODE_\w+|JAVA\w*|_JAVA\w*|GIT_\w+|LESS\w*|PG\w*OPTIONS|MAKE\w*|VISUAL|BROWSER"
    r"|\w*(?:COMMAND|CMD|EDITOR|PAGER|OPTS|OPTIONS|FLAGS|RSH|ASKPASS|EXEC|SCRIPT)",
    re.IGNORECASE,
)
WRITTEN = re.compile(r"(?:>[>|&]?|\btee(?:\s+-\w+)*)\s*([^\s;|&<>]+)")


def is_safe(words: Sequence[str], *, into: Sequence[Sequence[str]]) -> bool:
    """May these words hold values (each a NUL), when the command's output goes through those other commands?"""
    own = list(dropwhile(ASSIGNED.match, words))
    if not own:
        return bool(words) and not into
    given = _unwrapped(own)
    program = _program(given)
    if not program or program in TAKING or any(RUNNERS.fullmatch(_name(word)) for word in given):
        return False
    if program == "export" and not all(map(ASSIGNED.match, given[1:])):
        return False
    return not _gives_code(program, given) and all(_stays_text(each, program) for each in into)


def may_hold(name: str) -> bool:
    """Is the name the author's own, with no meaning to bash or to a program?"""
    return not MEANING.fullmatch(name)


def comes_back(pipeline: str, script: str) -> bool:
    """Does it write to a file that the script names once more? It might run it."""
    files = (PurePosixPath(name.strip("\"'")).name for name in WRITTEN.findall(pipeline))
    return any(script.count(file) > 1 for file in files if file and not file.isdigit() and file != "null")


def _stays_text(words: Sequence[str], source: str) -> bool:
    """Is what is piped into that command no code to it?"""
    program = _program(_unwrapped(words))
    is_file = source in PRINTING_FILES and program in DATABASES
    return is_file or program in FILTERS or bool(LOOK.match(_line(words)))


def _unwrapped(words: Sequence[str]) -> Sequence[str]:
    """The words of the command itself, after sudo and the like and before a script of Python."""
    found = WRAPPED.match(_line(words))
    return words[found[0].count(" ") :] if found else words


def _gives_code(program: str, words: Sequence[str]) -> bool:
    """Does a value stand where an option takes code?"""
    for option, word in pairwise(words):
        if "\0" not in word:
            continue
        if option in NAMES_OF.get(program, ()) or (program == "printf" and "-v" in words):
            return True
        if program in CONTAINERS and option in ("-e", "--env") and ASSIGNED.match(word.lstrip("\"'")):
            continue
        if program not in NO_CODE and (CODE_OPTION.fullmatch(option) or GLUED.match(word)):
            return True
    return False


def _program(words: Sequence[str]) -> str:
    found = PROGRAM.fullmatch(words[0]) if words else None
    return found[1] if found else ""


def _name(word: str) -> str:
    """The last part of a path, without quotes."""
    return re.sub(r"[\"'\\]", "", word).rpartition("/")[2]


def _line(words: Sequence[str]) -> str:
    return " ".join([*words, ""])
