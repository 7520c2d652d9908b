"""What headings say in languages other than English: the phrases of words.toml, and those of a file of the user's."""

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from releases.errors import WrongUsage

ROLES = (
    "pre_deployment",
    "deployment_steps",
    "post_deployment",
    "rollback_triggers",
    "rollback_procedure",
    "success_criteria",
    "signoff",
    "contacts",
    "communications",
    "maintenance",
    "troubleshooting",
    "reference",
    "other",
)
# Who wins when a heading speaks of two: what is special before what is in every heading.
ORDER = (
    "rollback_triggers",
    "rollback_procedure",
    "success_criteria",
    "pre_deployment",
    "post_deployment",
    "signoff",
    "contacts",
    "communications",
    "troubleshooting",
    "maintenance",
    "reference",
    "other",
    "deployment_steps",
)
BUILT_IN = Path(__file__).with_name("words.toml")
GLUED = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")

Table = tuple[tuple[str, re.Pattern[str]], ...]


@dataclass(frozen=True, kw_only=True)
class Words:
    """The phrases of each role, in the order in which they are looked for; `own` are the user's and win over all."""

    own: Table
    others: Table

    def own_role(self, plain: str) -> str:
        return _role(self.own, plain)

    def role(self, plain: str) -> str:
        """The role by a phrase of another language, "" without one."""
        return _role(self.others, plain)


@cache
def load(path: str = "") -> Words:
    """The words of this module, and those of the TOML file at `path`; raises WrongUsage naming what is wrong in it."""
    return Words(own=_table(_read(Path(path))) if path else (), others=_table(_read(BUILT_IN)))


def _role(table: Table, plain: str) -> str:
    folded = fold(plain)
    return next((role for role, wording in table if wording.search(folded)), "")


def fold(text: str) -> str:
    """Lower case without accents."""
    split = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in split if not unicodedata.combining(char))


def _read(path: Path) -> dict[str, list[str]]:
    """The phrases of each role, over all languages of the file."""
    try:
        languages = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WrongUsage(f"RUNBOOK_WORDS: {path} cannot be read as TOML: {error}") from None
    found: dict[str, list[str]] = {}
    for language, table in languages.items():
        for role, phrases in _checked(path, language, table).items():
            found.setdefault(role, []).extend(phrases)
    return found


def _checked(path: Path, language: str, table: object) -> Mapping[str, list[str]]:
    if not isinstance(table, dict):
        raise WrongUsage(
            f'RUNBOOK_WORDS: {path}: write {language} as a table: [xx] and below it signoff = ["…"]'
        )
    for role, phrases in table.items():
        if role not in ROLES:
            raise WrongUsage(
                f"RUNBOOK_WORDS: {path}: [{language}] {role} is no role; there are {', '.join(ROLES)}"
            )
        if not isinstance(phrases, list) or not all(
            isinstance(phrase, str) and phrase.strip() for phrase in phrases
        ):
            raise WrongUsage(f"RUNBOOK_WORDS: {path}: [{language}] {role} is no list of phrases")
    return table


def _table(phrases: Mapping[str, list[str]]) -> Table:
    return tuple((role, _pattern(phrases[role])) for role in ORDER if phrases.get(role))


def _pattern(phrases: list[str]) -> re.Pattern[str]:
    """Any of the phrases, each at the beginning of a word; Chinese and Japanese stand without spaces."""
    folded = sorted({fold(phrase) for phrase in phrases}, key=len, reverse=True)
    starts = "|".join(re.escape(phrase) for phrase in folded if not GLUED.search(phrase))
    glued = "|".join(re.escape(phrase) for phrase in folded if GLUED.search(phrase))
    return re.compile("|".join(part for part in (rf"(?<!\w)(?:{starts})" if starts else "", glued) if part))
