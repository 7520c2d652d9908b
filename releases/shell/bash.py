"""Building the bash script of a block; pure. Variables go in by the environment, never by substitution."""

import re
import shlex

# `… | grep ERROR` as the last line of a check: finding nothing is the good answer.
GREP_AT_THE_END = re.compile(
    r"^[^#]*\|\s*e?grep\b(?P<arguments>(?:[^|;&()`'\"]|'[^']*'|\"[^\"]*\")*)$", re.DOTALL
)
TROUBLE = re.compile(r"\b(?:errors?|exception|critical|traceback|fatal|fail\w*)\b", re.IGNORECASE)
TURNED_ROUND = re.compile(r"\s(?:-\w*v|--invert)")
NO_MATCH_IS_GOOD = """\
set +e +o pipefail
{line}
__gantry_codes=("${{PIPESTATUS[@]}}")
set -e -o pipefail
for __gantry_code in "${{__gantry_codes[@]:0:${{#__gantry_codes[@]}}-1}}"; do
  if [ "$__gantry_code" -ne 0 ] && [ "$__gantry_code" -ne 141 ]; then
    echo "the command before grep failed with $__gantry_code" >&2; exit "$__gantry_code"
  fi
done
case "${{__gantry_codes[-1]}}" in
  1) : ;;
  0) echo "grep found what should not be there" >&2; exit 1 ;;
  *) exit 2 ;;
esac"""
# Written at the end whatever ended the script: the names before, a blank entry, then every name and value.
PREAMBLE = """\
set -eo pipefail
__gantry_names=$(compgen -v)
__gantry_hand_on() {{
  __gantry_status=$?
  set +efu; unset IFS # whatever the script had chosen: it must not end this
  {{
    printf '%s\\0' $__gantry_names
    printf '\\0'
    for __gantry_name in $(compgen -v); do printf '%s\\0%s\\0' "$__gantry_name" "${{!__gantry_name}}"; done
  }} > {path} 2>/dev/null
  exit $__gantry_status
}}
trap __gantry_hand_on EXIT
"""
BASH_OWN = re.compile(
    r"BASH\w*|COMP_\w+|COMPREPLY|DIRSTACK|EPOCH(REAL)?TIME|EPOCHSECONDS|EUID|FUNCNAME|GROUPS|HOSTNAME|HOSTTYPE|IFS"
    r"|LINENO|OLDPWD|OPTARG|OPTERR|OPTIND|PIPESTATUS|PPID|PWD|RANDOM|REPLY|SECONDS|SHELL|SHELLOPTS|SHLVL|SRANDOM|UID"
    r"|_|__gantry\w*"
)


def script(text: str, *, handed_on: str) -> str:
    """The whole script of a block: stops at the first failure, writes its variables to the file `handed_on`."""
    return PREAMBLE.format(path=shlex.quote(handed_on)) + no_match_is_good(text) + "\n"


def argv(text: str, *, handed_on: str) -> tuple[str, ...]:
    """The argv that runs `text` as one bash script."""
    return ("bash", "-c", script(text, handed_on=handed_on), "bash")


def no_match_is_good(text: str) -> str:
    """`text` with a closing `… | grep ERROR` turned round: a match fails, no match is success."""
    lines = text.rstrip().split("\n")
    while lines and (not lines[-1].strip() or lines[-1].lstrip().startswith("#")):
        lines.pop()
    start = len(lines) - 1
    while start > 0 and lines[start - 1].rstrip().endswith(("\\", "|")):
        start -= 1
    last = "\n".join(lines[max(start, 0) :])
    found = GREP_AT_THE_END.match(last.replace("\\\n", " ").strip())
    if not found or not TROUBLE.search(found["arguments"]) or TURNED_ROUND.search(found["arguments"]):
        return text
    return "\n".join([*lines[:start], NO_MATCH_IS_GOOD.format(line=last)])


def handed_on(written: bytes, *, known: dict[str, str]) -> dict[str, str]:
    """The variables that a script set or changed, from what its preamble wrote; `known` is what it was given."""
    before, _, after = written.partition(b"\0\0")
    old = set(before.decode("utf-8", "replace").split("\0"))
    fields = after.decode("utf-8", "replace").split("\0")
    pairs = dict(zip(fields[::2], fields[1::2], strict=False))
    return {
        name: value
        for name, value in pairs.items()
        if not BASH_OWN.fullmatch(name) and (name not in old or (name in known and known[name] != value))
    }
