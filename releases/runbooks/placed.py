"""A piece together with where it stands in the document."""

from dataclasses import dataclass

from .markup import Piece


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A piece, its section's role, heading and path, the order of its step, and the last label above it."""

    piece: Piece
    role: str
    heading: str
    path: tuple[str, ...]
    step: int | None
    label: str
    label_line: int  # 0 without a label
    parent: str  # the list entry that the piece is nested in
