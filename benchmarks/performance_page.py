"""`docs/performance.md`: what was measured, each target met or missed with its ratio, and why.

Times are of one machine, so every target is a ratio of two numbers of one run on it.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
RESULTS = Path(__file__).parent / "results"
#: Names of what is loaded, as rows of the tables.
OURS, COMPACT = "kneerisk, whole answer", "kneerisk, `?fields=risk,likely`"
MLFLOW, EMPTY = "mlflow models serve", "BentoML, computing nothing"
WHAT_IF, FOLLOW_UP, REPORT = "what-if", "follow-up of two visits", "report"
#: The profile of an answer, the start, files and training, where they were measured.
PARTS = (
    "answer.md", "start-speed.md", "squad-speed.md", "score-speed.md", "training-speed.md",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A target: the ratio of two numbers, and the limit that it has to keep."""

    text: str
    ratio: float
    limit: float
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Whether the ratio keeps the limit."""
        compare = operator.ge if self.at_least else operator.le
        return bool(compare(self.ratio, self.limit))

    def __str__(self) -> str:
        bound = f"at {'least' if self.at_least else 'most'} {self.limit:g}"
        return f"{'met' if self.met else 'MISSED'}: {self.text} {self.ratio:.2f} ({bound})"


def serving_lines(rows: dict[str, dict[str, float]], crowd: dict[str, float]) -> list[Line]:
    """The targets of serving.

    Parameters
    ----------
    rows
        By name, ``per_second`` with a few clients and ``p50_ms`` and ``p95_ms`` with one.
    crowd
        ``p50_ms`` and ``p95_ms`` of a whole answer where 32 clients ask at once.

    Returns
    -------
    One line for each target.
    """

    def over(name: str, other: str, what: str) -> float:
        return rows[name][what] / rows[other][what]

    rate, p50, p95 = "per_second", "p50_ms", "p95_ms"
    lines = [
        Line(text="requests/s of a whole answer over `mlflow models serve`'s bare label:",
             ratio=over(OURS, MLFLOW, rate), limit=2.0, at_least=True),
        Line(text="requests/s of a whole answer over the empty endpoint's:",
             ratio=over(OURS, EMPTY, rate), limit=0.5, at_least=True),
        Line(text="requests/s of a compact answer over the empty endpoint's:",
             ratio=over(COMPACT, EMPTY, rate), limit=0.8, at_least=True),
        # 4 ms where the empty endpoint's is 1.9 ms.
        Line(text="p95 of a single client over the empty endpoint's:",
             ratio=over(OURS, EMPTY, p95), limit=4.0 / 1.9),
        Line(text="p95 over p50 of 32 clients:", ratio=crowd[p95] / crowd[p50], limit=3.0),
    ]  # fmt: skip
    return lines + [
        Line(
            text=f"time of a {name} over that of an answer:", ratio=over(name, OURS, p50), limit=2.0
        )
        for name in (WHAT_IF, REPORT, FOLLOW_UP)
    ]


def serving_section(measured: dict[str, Any], lines: list[Line]) -> str:
    """What serving costs, as a section of the page.

    Parameters
    ----------
    measured
        The results of `benchmarks.serving_speed`.
    lines
        Its targets.

    Returns
    -------
    Markdown that begins with a heading.
    """
    versions = ", ".join(f"{name} {value}" for name, value in measured["machine"].items())
    table = [
        f"| {name} | {' | '.join(f'{value:g}' for value in row.values())} |"
        for name, row in measured["results"].items()
    ]
    clients = measured["clients"]
    text = [
        "# Speed of the service",
        "",
        f"Made by `make bench` ({versions}).",
        f"One worker each, loaded in turn; requests a second with {clients} clients, the processor",
        "time that each request takes then, and times with one client. MLflow serves one of the",
        "champion's own boosters, with a row ready for it.",
        "",
        "| | requests/s | processor ms | p50 ms | p95 ms | p99 ms | peak MB |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
        *table,
        "",
        *(f"- {line}" for line in lines),
    ]
    return "\n".join([*text, ""])


_HEAD = """# Performance

Generated: `make bench` measures the service, its start, a squad and files, and ends with an error
where a target is missed; `python -m benchmarks.training_speed` measures training, and `make figures
ONLY=sections` the parts of an answer. Times differ between machines; what is promised is the ratio
of two numbers of one run.
"""

_FLOOR = """## What an answer's time goes to

A whole answer is some 50 kB of JSON: every number with its interval, the words around it, each
measure's norm and error, and what every test that was not done would tell. The next tests are its
largest part: every measure moved by itself, every answer to a question that was not asked, and the
interval after each test that is named. The rest is spread over many small steps, each of which
costs what Python and NumPy take for a call, 1 to 10 µs, whether its array holds two legs or a
hundred; no step is a tenth of the whole. So several clients' answers are made together, which
spares the steps and not the words: of a team's time the words are more than half. Four clients keep
one worker in company, and two workers share them: two give less than twice what one does. A compact
answer (`?fields=risk,likely`) leaves out next tests, advice and inputs, not the engine.

The floor under an answer is what remains where its steps are shared by many: "Answers made
together" below gives it, and the rates that it would lead to. Half of the empty endpoint's rate for
a whole answer and 0.8 of it for a compact one lie beyond that floor, so that no arrangement of the
same steps reaches them. Twice MLflow's rate does not: it takes more company than four clients keep,
and nobody is made to wait for company. A single client has none, so that the p95 of one who is
alone is the time of an answer by itself. To go below the floor the steps themselves would have to
be compiled, which is not done (`docs/decisions/0084`). Another way is known and not gone: a compact
answer needs the base of the attributions alone, a sixth of its engine's time, which would be worked
out twice, in two ways.

A team is shared among the workers (`docs/decisions/0083`), so that a service with more cores and
workers answers one in less time. While it lasts, both of this machine's cores are busy with it, and
the program that measures runs on them too. With two workers its floor is half of what a thousand
answers take sixteen at a time ("Answers made together"), and some 60 MB of JSON. A sheet that is
dropped keeps both cores busy to the end as well: half of the processor time of the service and the
browser, which stands below, is the least that it can take on two cores.

## What a training's time goes to

Beside XGBoost and the oracle, a default training fits the logistic regression that the model is
compared with, bootstraps the AUC of many groups, draws its plots and opens MLflow's database. None
of these grows as fast as the cohort, so that their share falls: see the power below. The memory of
a large one is that of the cohort's table and of the feature matrix in double precision, with
XGBoost's copy of it; `--spread-trees` moves the trees' share of it to a cluster (`docs/scale.md`).
In the fit, what is not XGBoost is the measurement update, which solves each pattern of tests once,
and the linear part, whose Hessian is summed over every leg some dozens of times. Both are sums over
all rows that are made in blocks by BLAS and LAPACK on one core, where XGBoost has both: that is why
the fit stays above 1.5 times XGBoost's calls. The baselines are fitted while the oracle is worked
out, so that the oracle's time is longer than it would be alone.

## What a start's time goes to

Of a worker's start two thirds are modules: BentoML's and those of the answer, of which none is
large; the rest is the bundle, whose golden cases fill tables that answers need anyway, and
BentoML's application. Of `make up` on a fresh clone the training is the largest part and pip the
second; the service and MLflow start meanwhile on the other core. Why each of the five largest
packages of the installation is needed: `docs/decisions/0082-installed-in-two-parts.md`.

## What the tests' time goes to

`make test` runs some 6,000 tests on as many cores as there are. It is meant to take 8 minutes on
two and takes more (`time make test`). The largest parts are models that are fitted, evaluated and
recorded by MLflow, and a real browser; then services and commands that are started as people start
them, a Dask cluster, and a wheel and a bento that are made and installed. What is left is what the
tests promise; they get faster where the product does.
"""


def write_page() -> None:
    """Write the page from the results that there are."""
    serving = RESULTS / "serving.md"
    sections = [_demoted(path.read_text("utf-8")) for path in (serving,) if path.exists()]
    sections.append(_FLOOR)
    sections += [
        _demoted(path.read_text("utf-8"))
        for path in (RESULTS / name for name in PARTS)
        if path.exists()
    ]
    PAGE.write_text("\n".join([_HEAD, *sections]), "utf-8")


def _demoted(text: str) -> str:
    """A result as a section of the page: each heading one level lower, pictures beside it."""
    lines = (f"#{line}" if line.startswith("#") else line for line in text.splitlines())
    return "\n".join(lines).replace("](../../docs/", "](") + "\n"


if __name__ == "__main__":
    write_page()
