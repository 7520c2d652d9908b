"""The bash programs that a host is asked to run, and what they keep in a run's folder there; pure.

A run is a folder `~/.gantry/runs/NAME`; to make it is to own it, so a block starts once:
    script     variables and wrapper; removed as soon as the wrapper runs
    block      what the runbook says
    output     what it says
    pids       boot id; pid and start of the wrapper; pid (and group) and start of the block
    variables  what the block hands on
    code       its exit code; the last file to come, under another name first
"""

import shlex
from collections.abc import Mapping

from releases.shell.bash import PREAMBLE, no_match_is_good
from releases.shell.ssh import HERE

KEPT_DAYS = 7
KEPT_OUTPUT = 1 << 20  # bytes of an output that was read; the rest of it is somewhere else
# How a look at a run ends; any other code is a line that broke.
ENDED, UNHEARD, NEVER_BEGAN, REBOOTED, GONE = 0, 94, 93, 92, 91

# Whoever asks finds the answer behind this line, whatever the login has printed before.
COMMON = """\
run=$HOME/.gantry/runs/$name
say() { printf '\\n%s %s\\n' "$nonce" "$*"; }
"""
LOOKING = """\
__gantry_boot() { # into __gantry_answer
  { IFS= read -r __gantry_answer < /proc/sys/kernel/random/boot_id; } 2>/dev/null ||
    __gantry_answer=$(sysctl -n kern.boottime 2>/dev/null) || __gantry_answer=unknown
}
__gantry_start() { # of process $1, into __gantry_answer; nothing of one that has ended
  __gantry_answer=
  if [ -r /proc/self/stat ]; then
    { IFS= read -r __gantry_answer < "/proc/$1/stat"; } 2>/dev/null || return 0
    set -- ${__gantry_answer##*) }
    __gantry_answer=${20}
    [ "$1" != Z ] || __gantry_answer=
  else
    __gantry_answer=$(LC_ALL=C TZ=UTC ps -o lstart= -p "$1" 2>/dev/null)
  fi
}
"""
BEGIN = """\
if [ "${BASH_VERSINFO[0]}" -lt 4 ]; then say old "$BASH_VERSION"; exit; fi
mask=$(umask)
umask 077
runs=${run%/*}
mkdir -p "$runs" || { say refused; exit; }
find "$runs" -mindepth 1 -maxdepth 1 -mtime +"$((days - 1))" -exec rm -rf -- {} + 2>/dev/null
if [ -d "$run" ]; then say known; exit; fi
aside=$(mktemp -d "$runs/.begin-XXXXXXXX") || { say refused; exit; }
say send
head -c "$size" > "$aside/script" # not until the end of the line: that may come when nobody wants this any more
if [ "$(($(wc -c < "$aside/script")))" -ne "$size" ]; then rm -rf "$aside"; say cut; exit; fi
if mkdir "$run" 2>/dev/null; then
  mv "$aside/script" "$run/script"
  detach=$(command -v setsid)
  set -m
  __gantry_mask=$mask $detach bash "$run/script" </dev/null >/dev/null 2>&1 &
  set +m
  say started
elif [ -d "$run" ]; then
  say known
else
  say refused
fi
rm -rf "$aside"
"""
# In a group of its own (set -m), which may be ended without ending this.
WRAPPER = """\
cd -- "${0%/*}" || exit 1
rm -f script
printf '%s' "$__gantry_block" > block
: > output
set -m
(umask "$__gantry_mask"; unset __gantry_mask; exec bash block) </dev/null >> output 2>&1 &
__gantry_pid=$!
set +m
trap '' HUP INT TERM
{
  __gantry_boot; printf '%s\\n' "$__gantry_answer"
  __gantry_start "$$"; printf '%s\\n' "$$ $__gantry_answer"
  __gantry_start "$__gantry_pid"; printf '%s\\n' "$__gantry_pid $__gantry_answer"
} > pids.new
mv pids.new pids
wait "$__gantry_pid"
__gantry_code=$?
[ ! -e variables ] || chmod 600 variables
printf '%s\\n' "$__gantry_code" > code.new && mv code.new code
"""
# In front of the author's lines: the folder that the block before it ended in, and what hands its variables on.
BLOCK = """\
__gantry_variables=$PWD/variables
unset OLDPWD
cd -- "${{{folder}:-$HOME}}" || exit 1
{preamble}
trap '__gantry_code=$?; set +e; {folder}=$PWD; unset {here}; (exit "$__gantry_code"); __gantry_hand_on' EXIT
{text}
"""
FOLLOW = """\
watched() { # does what will write the exit code still live? Else the reason is in `why`
  { read -r booted; read -r pid begun; } < pids
  __gantry_boot
  if [ "$booted" != "$__gantry_answer" ]; then why=$rebooted; return 1; fi
  __gantry_start "$pid"
  why=$gone
  [ -n "$begun" ] && [ "$begun" = "$__gantry_answer" ]
}
cd "$run" 2>/dev/null || { say absent; exit; }
say open
looks=0
while :; do
  end=
  looks=$((looks + 1))
  if [ -s code ]; then
    end=0
  elif [ ! -s pids ]; then
    [ "$looks" -lt 35 ] || end=$never
  elif ! watched; then
    if [ -s code ]; then end=0; else end=$why; fi
  fi
  size=$(($(wc -c 2>/dev/null < output || echo 0)))
  if [ "$size" -gt "$offset" ]; then
    tail -c "+$((offset + 1))" output | head -c "$((size - offset))"
    offset=$size
  fi
  [ -z "$end" ] || exit "$end"
  if [ "$looks" -lt 10 ]; then pause=0.05; else pause=0.2; fi
  IFS= read -r -t "$pause" _
  [ "$?" -gt 128 ] || exit "$unheard" # nobody is at the other end
done
"""
RESULT = """\
cd "$run" 2>/dev/null && [ -s code ] || { say absent; exit; }
if [ -e variables ]; then size=$(($(wc -c < variables))); else size=0; fi
say "$(cat code) $size"
[ "$size" -gt "$most" ] || cat variables 2>/dev/null
"""
# What was read is kept for a while, without what is not needed to tell it once more.
SETTLE = """\
umask 077
cd "$run" 2>/dev/null || { say absent; exit; }
say send
cat > variables.new
[ "$(($(wc -c < variables.new)))" -ne "$size" ] || mv variables.new variables
rm -f variables.new block
if [ "$(($(wc -c < output)))" -gt "$kept" ]; then
  { echo "(of a longer output only the end was kept)"; tail -c "$kept" output; } > output.new && mv output.new output
fi
say settled
"""
END = """\
lives() { # does a process of group $1 live? A zombie does not
  kill -0 -- "-$1" 2>/dev/null || return 1
  [ -r /proc/self/stat ] || return 0
  for file in /proc/[0-9]*/stat; do
    { IFS= read -r line < "$file"; } 2>/dev/null || continue
    set -- "$1" ${line##*) }
    [ "$4" != "$1" ] || [ "$2" = Z ] || return 0
  done
  return 1
}
wait_for() { # at most $1 fifths of a second, until the rest is true
  local looks=$1
  shift
  until "$@"; do
    looks=$((looks - 1))
    [ "$looks" -gt 0 ] || return 1
    sleep 0.2
  done
}
cd "$run" 2>/dev/null || { say absent; exit; }
if [ -s code ]; then say over; exit; fi
wait_for 10 [ -s pids ] || { say unclear; exit; }
{ read -r booted; read -r _ _; read -r group begun; } < pids
__gantry_boot
if [ "$booted" = "$__gantry_answer" ]; then
  __gantry_start "$group"
  if [ -z "$__gantry_answer" ] || [ "$__gantry_answer" = "$begun" ]; then
    gone() { ! lives "$group"; }
    for signal in INT TERM KILL; do
      kill -s "$signal" -- "-$group" 2>/dev/null
      wait_for 14 gone && break
    done
    wait_for 5 [ -s code ]
    if [ "$(cat code 2>/dev/null)" = 0 ]; then say over; exit; fi
  fi
fi
ended=$run.ended.$$
mv "$run" "$ended" && rm -rf "$ended"
say ended "${signal:-}"
"""


def begin(*, name: str, nonce: str, size: int) -> bytes:
    """Start a run unless its folder is there; says `send` when it wants the script, then `started`.

    Else it says `known`; or, and nothing was started, `refused`, `cut` (the script came in part) or `old` (bash).
    """
    return _program(COMMON + BEGIN, name=name, nonce=nonce, size=size, days=KEPT_DAYS)


def follow(*, name: str, nonce: str, offset: int) -> bytes:
    """Says `open`, then the run's output from `offset` on until it has ended; the exit code tells how that was."""
    codes = {"never": NEVER_BEGAN, "rebooted": REBOOTED, "gone": GONE, "unheard": UNHEARD}
    return _program(COMMON + LOOKING + FOLLOW, name=name, nonce=nonce, offset=offset, **codes)


def result(*, name: str, nonce: str, most: int) -> bytes:
    """Says `CODE SIZE` of a run that has ended, then its variables unless they are more than `most` bytes."""
    return _program(COMMON + RESULT, name=name, nonce=nonce, most=most)


def settle(*, name: str, nonce: str, size: int) -> bytes:
    """After the result was read: says `send`, puts what then comes in the variables' place and shortens the output."""
    return _program(COMMON + SETTLE, name=name, nonce=nonce, size=size, kept=KEPT_OUTPUT)


def end(*, name: str, nonce: str) -> bytes:
    """End the run's group and forget the run; says `ended SIGNAL`.

    Or `absent`: there is none; `over`: it has ended by itself; `unclear`: nobody can tell which group it is.
    """
    return _program(COMMON + LOOKING + END, name=name, nonce=nonce)


def question(text: str, *, variables: Mapping[str, str], nonce: str, folder: str) -> bytes:
    """Says `open`, then runs `text` in the folder that the last block there ended in; nothing is kept of it."""
    here = f'cd -- "${{{folder}:-$HOME}}" || exit 1\nset -eo pipefail\n'
    said = f"printf '\\n%s open\\n' {shlex.quote(nonce)}\n"
    return _whole(f"{_exported(variables)}{said}{here}{no_match_is_good(text)}\n", stdin="</dev/null")


def script(text: str, *, variables: Mapping[str, str], folder: str) -> bytes:
    """What a run is started with: the variables, and a wrapper that runs `text` and keeps how it ended."""
    block = BLOCK.format(
        folder=folder,
        preamble=PREAMBLE.format(path='"$__gantry_variables"'),
        here=" ".join(sorted(HERE)),
        text=no_match_is_good(text),
    )
    wrapper = f"__gantry_block={shlex.quote(block)}\n" + LOOKING + WRAPPER
    return _encoded(_exported(variables)) + _whole(wrapper)


def after_mark(said: bytes, nonce: str) -> tuple[tuple[str, ...], bytes] | None:
    """The words of the first mark and all that follows its line; None while it has not come."""
    start = said.find(f"\n{nonce} ".encode())
    stop = said.find(b"\n", start + 1) if start >= 0 else -1
    if stop < 0:
        return None
    words = said[start + 1 : stop].decode("utf-8", "replace").split()[1:]
    return tuple(words), said[stop + 1 :]


def _exported(variables: Mapping[str, str]) -> str:
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())


def _program(body: str, **given: str | int) -> bytes:
    return _whole(_given(**given) + body)


def _given(**given: str | int) -> str:
    return "".join(f"{name}={shlex.quote(str(value))}\n" for name, value in given.items())


def _whole(body: str, *, stdin: str = "") -> bytes:
    """One compound command: bash has read all of it before anything in it reads from the same place."""
    return _encoded(f"{{\n{body}exit\n}} {stdin}\n")


def _encoded(text: str) -> bytes:
    """As it came from this process's environment, whatever bytes those were."""
    return text.encode("utf-8", "surrogateescape")
