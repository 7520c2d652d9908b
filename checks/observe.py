"""The app's door: ask many questions at once and get an answer to each."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from checks.errors import UnknownKind
from checks.probers import prober
from checks.probers.base import Answer, Question, error, failed
from checks.problems import Problem

# A prober keeps the question's timeout itself and says what was slow; this is for one that does not.
GRACE = 1.0


def ask(questions: Sequence[Question], *, concurrency: int = 200) -> list[Answer]:
    """One answer a question, in their order, `concurrency` at a time; no source can make it raise."""
    return asyncio.run(_ask_all(questions, concurrency)) if questions else []


def problems(question: Question) -> list[Problem]:
    """What is wrong with a question as it was written; an unknown kind is one of them."""
    try:
        return prober(question.kind).problems(question)
    except UnknownKind as unknown:
        return [Problem("error", str(unknown), "choose one of these kinds", "kind", "probe-kind")]


async def _ask_all(questions: Sequence[Question], concurrency: int) -> list[Answer]:
    # asyncio's own pool has a handful of threads: a question would time out in its queue before it was asked.
    threads = ThreadPoolExecutor(max_workers=min(concurrency, len(questions)))
    asyncio.get_running_loop().set_default_executor(threads)
    places = asyncio.Semaphore(concurrency)
    return await asyncio.gather(*(_ask_one(question, places) for question in questions))


async def _ask_one(question: Question, places: asyncio.Semaphore) -> Answer:
    async with places:
        try:
            async with asyncio.timeout(question.timeout + GRACE):
                return await prober(question.kind).ask(question)
        except TimeoutError:
            return failed(f"{question.kind} {question.target}: no answer within {question.timeout:g} s")
        except UnknownKind as unknown:
            return error(str(unknown))
        # The worker's edge: a bug in one prober is that probe's error, and the others go on.
        except Exception as bug:  # noqa: BLE001
            return error(f"prober {question.kind} crashed: {type(bug).__name__}: {bug}")
