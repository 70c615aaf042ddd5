"""The one table that a run prints."""

from dataclasses import dataclass, field

from .client import Attempt
from .oracles import Verdict

_COLUMNS = ("scenario", "faults injected", "requests", "req/s", "finished", "cut", "refused", "lost", "double",
            "over limit", "O1-O7", "seconds")


@dataclass
class Row:
    """One scenario's outcome."""

    name: str
    faults: dict[str, int]
    attempts: list[Attempt]
    verdict: Verdict
    complaints: list[str]
    seconds: float
    load_seconds: float
    #: Figures beside the table, such as percentiles.
    notes: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        return self.verdict.is_good and not self.complaints

    @property
    def cells(self) -> tuple[str, ...]:
        outcomes = [attempt.outcome for attempt in self.attempts]
        finished = outcomes.count("finished")
        refused = outcomes.count("refused")
        unconnected = outcomes.count("unconnected")
        oracles = " ".join(f"{name}!{len(texts)}" for name, texts in self.verdict.violations.items() if texts)
        if self.complaints:
            oracles += f" faults!{len(self.complaints)}"
        sent = len(outcomes) - unconnected
        return (
            self.name, ", ".join(f"{number} {fault}" for fault, number in self.faults.items()) or "none", str(sent),
            f"{sent / self.load_seconds:.0f}" if self.load_seconds else "-", str(finished),
            str(sent - finished - refused), str(refused), str(len(self.verdict.lost)), str(len(self.verdict.double)),
            str(self.verdict.over_limit), oracles.strip() or "hold", f"{self.seconds:.0f}")


def render(rows: list[Row]) -> str:
    """All rows under one head, in columns."""
    lines = [_COLUMNS, *(row.cells for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_COLUMNS))]
    # Texts to the left, numbers to the right.
    left = {0, 1, 10}

    def draw(line: tuple[str, ...]) -> str:
        return "  ".join(
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths))).rstrip()

    return "\n".join([draw(lines[0]), "-" * (sum(widths) + 2 * len(widths) - 2), *map(draw, lines[1:])])
