"""Kind `git`: which commit a folder stands at, and whether it was changed."""

import asyncio
import time

from checks.errors import UnknownVariable
from checks.gates.process import Captured, capture
from checks.probers.base import Answer, Question, answer, error, expanded, shape_problems, within
from checks.problems import Problem

# Never ask for a password, never page, never wait for the index of a running command.
QUIET = {"GIT_TERMINAL_PROMPT": "0", "GIT_PAGER": "cat", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}


class GitProber:
    """Target: a work tree, seen from the environment's folder (empty: that one). Passes when it is clean.

    Option `ref`: a tag, branch or commit that must exist; its commit is the fact REF.
    """

    fields = ("HEAD", "TAG", "BRANCH", "CLEAN", "CHANGES", "REF")
    options = {"ref": str}
    conditions = ("[CLEAN] == true",)

    def problems(self, question: Question) -> list[Problem]:
        """Nothing beyond what every kind can have."""
        return shape_problems(question, self)

    async def ask(self, question: Question) -> Answer:
        """ERROR when the folder is no git repository, FAILED when a wanted ref is missing."""
        started = time.monotonic()
        try:
            facts = await asyncio.to_thread(_facts, question)
        except UnknownVariable as unknown:
            return error(str(unknown))
        elapsed = (time.monotonic() - started) * 1000
        if isinstance(facts, str):
            return error(facts, elapsed_ms=elapsed)
        wanted = ("[REF] exists",) if "ref" in question.options else ()
        return answer(question, facts, elapsed_ms=elapsed, conditions=(*self.conditions, *wanted))


def _facts(question: Question) -> dict[str, object] | str:
    """The facts, or why there are none."""
    folder = str(within(question.folder, expanded(question.target, question.variables)))
    head = _git(question, folder, "rev-parse", "HEAD")
    changes = _git(question, folder, "status", "--porcelain")
    for captured in (head, changes):
        if captured.code:
            return f"git in {folder}: {' '.join(captured.err.split())}"
    facts: dict[str, object] = {
        "HEAD": head.out.strip(),
        "TAG": _git(question, folder, "tag", "--points-at", "HEAD").out.strip(),
        "BRANCH": _git(question, folder, "branch", "--show-current").out.strip(),
        "CLEAN": not changes.out.strip(),
        "CHANGES": changes.out.strip("\n"),
    }
    return facts | _ref(question, folder)


def _ref(question: Question, folder: str) -> dict[str, object]:
    if "ref" not in question.options:
        return {}
    name = expanded(str(question.options["ref"]), question.variables)
    found = _git(
        question, folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"
    )
    return {"REF": found.out.strip()} if found.code == 0 else {}


def _git(question: Question, folder: str, *words: str) -> Captured:
    return capture(
        ["git", "-C", folder, *words], cwd="/", env={**question.variables, **QUIET}, timeout=question.timeout
    )
