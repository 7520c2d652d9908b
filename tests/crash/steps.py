"""What is killed where: the points of a step, and what each step of the depot's runbook may do when it is taken up."""

from dataclasses import dataclass

FORWARD, BACK = "forward", "back"


@dataclass(frozen=True, kw_only=True)
class Point:
    """A moment in the life of one action."""

    name: str
    title: str


# In the order of time. In `c`, `p` and `p'` the service itself says when, in all others the engine's own seams.
POINTS = (
    Point(name="a", title="before the intent"),
    Point(name="b", title="intent written, nothing started"),
    Point(name="b'", title="process recorded, its gate shut"),
    Point(name="c", title="in the effect, and the command lives on"),
    Point(name="p", title="in the effect, and the command dies, too"),
    Point(name="p'", title="effect done, and the command dies before it ends"),
    Point(name="d", title="before the outcome"),
    Point(name="e", title="after the outcome"),
)
INSIDE = ("c", "p", "p'")
# The command dies with the engine, as in a power cut; the service itself runs on.
DARK = ("p", "p'")


@dataclass(frozen=True, kw_only=True)
class Step:
    """An action of the runbook, by the name that its fence and the ledger give it.

    `holds`: where the service waits to be killed inside. `leaves` an effect in the ledger, or only looks.
    `again`: its effect converges and may be made twice under one key. `asks`: only a person can know.
    """

    holds: tuple[tuple[str, str], ...] = (("c", "half"), ("p", "half"), ("p'", "late"))
    leaves: bool = True
    starts: bool = True
    again: bool = False
    asks: bool = False

    @property
    def points(self) -> tuple[str, ...]:
        """The points that this step has: what starts no process has no gate."""
        inside = {point for point, _ in self.holds}
        have = [p.name for p in POINTS if p.name not in INSIDE or p.name in inside]
        return tuple(point for point in have if self.starts or point != "b'")

    def place(self, point: str) -> str:
        """Where the service is held for this point."""
        return dict(self.holds)[point]


LOOK = Step(holds=(("c", "half"),), leaves=False, starts=False)
# Its middle is a lock on the table that it reads: the query itself stands still.
QUERY = Step(holds=(("c", "lock"),), leaves=False, starts=False)
REQUEST = Step(holds=(("c", "half"), ("p", "half")), leaves=False)
CONVERGES = Step(again=True)
STEPS = {
    "preflight": LOOK,
    "count": QUERY,
    "backup": CONVERGES,
    "tag": Step(asks=True),
    "maintenance-on": CONVERGES,
    "drain": CONVERGES,
    "code": CONVERGES,
    "dependencies": CONVERGES,
    "copy": CONVERGES,
    "migrate": Step(holds=(("c", "open"), ("p", "open"), ("p'", "late"))),
    "grams": QUERY,
    "features": CONVERGES,
    "cache": CONVERGES,
    "restart": CONVERGES,
    "smoke": REQUEST,
    "announce": CONVERGES,
    "enrol": Step(),
    "letter": Step(asks=True),
    "maintenance-off": CONVERGES,
    "visit": REQUEST,
    "restore": Step(),
}
# One action more than the runbook names: the same restore, killed while the database lets nobody in.
EXTRA = {"restore": (("p", "shut"),)}
# Gantry's own actions, which no fence names.
OWN = {"preflight": "preflight", "copy-under-fence": "copy"}
