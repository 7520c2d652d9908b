"""What a document says should come out of a block."""

# ruff: noqa: E501 (rows of wordings stay one line each, so that they can be read as a table)

import re
from collections.abc import Sequence

from .markup import Piece

MOST_LINES = 12  # pieces looked at after a block
LONGEST_ANSWER = 600  # characters of an answer given as a fence
EXPECTED = r"(?:expected (?:output|results?|answer|response)|expected|expects|expect|erwartet\w*|esperado|(?:resultado|saída|salida) esperad[oa]|attendu|résultat attendu|ожидается|ожидаемый результат|预期(?:结果)?|期待(?:値|結果)?|期望(?:结果)?)"
OUTCOME = r"(?:output|return|print|show|be|see|say|answer|match|have|contain|equal|respond|exist|stay|remain|not|complete|finish|take|populate|report|include)"
# "should be run as root" tells people what to do, not what comes out.
TOLD = r"(?!\s*(?:be\s+)?(?:run|executed|done|used|set|called|configured|installed|replaced|updated|changed|kept|checked)\b)"
COMMENT = re.compile(r"(?:^|\s)(?:#|--(?=\s|[A-Z])|//)\s*(.+)$")
EXPECT_COMMENT = re.compile(
    rf"(?:verify:\s*)?(?:{EXPECTED}\s*[:=：]|(?:should|must) {TOLD}{OUTCOME}\b:?|(?:output|returns?|result)\s*:)\s*(.+)",
    re.IGNORECASE,
)
# A remark within a longer comment: "Success rate should be ~100%", "(should match the other)", "If > 5, call".
SHOULD_REMARK = re.compile(rf"^(.*\bshould\s{TOLD}{OUTCOME}\b.+)$", re.IGNORECASE)
IN_BRACKETS = re.compile(rf"\(((?:should|must|expect(?:ed)?)\s{TOLD}[^()]+)\)", re.IGNORECASE)
IF_REMARK = re.compile(
    r"^(if\s(?:\w+\s){0,3}?(?:[<>]=?|≥|≤|more than|less than|over|under|above|below)\s?\d.+)$", re.IGNORECASE
)
EXPECT_LINE = re.compile(
    rf"^[*_\s]*(?:{EXPECTED}|should (?:output|return|print|show|be)|expected to (?:return|show|be)|(?:verify|check) (?:the )?(?:response|output|results?|answer))"
    r"(?![\w-])[*_]*\s*[:：]?[*_]*\s*(.*)$",
    re.IGNORECASE,
)
SHOULD_LINE = re.compile(
    rf"^(?:the |this |it |all )?(?:(?:query|result|results|output|response|answer|command|this|it|rows?|count)\s)?(?:should|must)\s{TOLD}{OUTCOME}\b\s*(.+)$",
    re.IGNORECASE,
)


def expectations(text: str) -> list[str]:
    """What comments in the block say should come out; remarks in brackets come last."""
    found = [comment[1] for row in text.split("\n") if (comment := COMMENT.search(row))]
    whole = (_of_comment(comment) for comment in found)
    remarks = (IN_BRACKETS.search(comment) for comment in found if not _of_comment(comment))
    said = [*whole, *(remark[1] for remark in remarks if remark)]
    return [_clean(each) for each in said if each.strip()]


def expectation_after(following: Sequence[Piece]) -> str | None:
    """What the line, the list or the sample after a block expects; None when nothing does."""
    if not following or following[0].kind != "text":
        return None
    text = following[0].text
    found = EXPECT_LINE.match(text) or SHOULD_LINE.match(text)
    if not found:
        return None
    return _clean(found[1]) or _below(following[1:])


def _of_comment(comment: str) -> str:
    labelled = EXPECT_COMMENT.match(comment)
    if labelled:
        return labelled[1]
    sentence = SHOULD_REMARK.match(IN_BRACKETS.sub("", comment)) or IF_REMARK.match(comment)
    return sentence[1] if sentence else ""


def _below(following: Sequence[Piece]) -> str | None:
    """The conditions of a list, or the answer in a fence."""
    if following and following[0].kind == "fence" and len(following[0].text) <= LONGEST_ANSWER:
        return " ".join(following[0].text.split()) or None
    rows = []
    for piece in following:
        if piece.kind != "text" or not piece.group or piece.group != following[0].group:
            break
        rows.append(_clean(piece.text))
    return "; ".join(rows) or None


def _clean(text: str) -> str:
    return text.strip().strip("*_ ").strip("✅✔☑️ ").strip()
