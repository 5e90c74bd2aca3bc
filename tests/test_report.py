"""The report: one page in plain words, that says no more than the answer and keeps to itself."""

from __future__ import annotations

import base64
import hashlib
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from playwright.sync_api import Browser
from strategies import screenings
from test_answer import TESTED

from kneerisk.answer import Answer, answer
from kneerisk.answer.answer_schema import Driver, Risk, Risks
from kneerisk.answer.number_format import amount, in_100, number, sentence, signed, typical
from kneerisk.answer.pattern_schema import Imbalance
from kneerisk.answer.printed_page import content_policy
from kneerisk.answer.report import report_html, report_markdown, style
from kneerisk.answer.report.drawings import width_parts
from kneerisk.answer.report.driver_table import driver_table
from kneerisk.answer.summary import summary_of
from kneerisk.evidence import red_flags, references
from kneerisk.model import Bundle
from kneerisk.schema import Screening
from kneerisk.words import listed
from pipelines import __main__ as cli
from pipelines import examples

MINUS = "\N{MINUS SIGN}"
#: Never said of anybody.
FORBIDDEN = re.compile(r"caused by|diagnosed|patient|\bnan\b|\bNone\b|Undefined|&amp;amp;")


class Page(HTMLParser):
    """The elements of a document, and whether they close as they open."""

    VOID = frozenset({"meta", "br", "col"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text.append(data)

    def all(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.found if tag in tags]

    def classes(self) -> set[str]:
        return {name for _, a in self.found for name in (a.get("class") or "").split()}


@pytest.fixture
def ask(released: Bundle) -> Callable[..., tuple[Answer, Screening]]:
    """The answer to a body with some of its parts exchanged, and its screening."""

    def asked(**parts: Any) -> tuple[Answer, Screening]:
        screening = Screening.model_validate(TESTED | parts)
        return answer(released, screening), screening

    return asked


def told(found: tuple[Answer, Screening]) -> str:
    """All words of the page."""
    return " ".join(" ".join(Page(report_html(*found)).text).split())


@given(screening=screenings())
@settings(max_examples=40)
def test_any_answer_has_a_sound_report(released: Bundle, screening: Screening) -> None:
    found = answer(released, screening)
    html, markdown = report_html(found, screening), report_markdown(found, screening)
    page = Page(html)

    assert page.open == []
    assert not FORBIDDEN.search(" ".join(page.text))
    assert not FORBIDDEN.search(markdown)
    for text in (html, markdown):
        assert "Not a medical device" in text
    ids = [a["id"] for _, a in page.found if "id" in a]
    assert len(ids) == len(set(ids))
    labels = {a["aria-labelledby"] for _, a in page.found if "aria-labelledby" in a}
    assert {part for label in labels for part in (label or "").split()} <= set(ids)
    places = [
        float((a.get(name) or "").rstrip("%"))
        for a in page.all("rect", "line", "svg")
        for name in ("x", "x1", "x2", "width")
        if (a.get(name) or "").endswith("%")
    ]
    assert all(-0.01 <= place <= 100.01 for place in places)


class TestKeepsToItself:
    def test_it_asks_for_nothing_and_runs_nothing(self, ask: Callable[..., Any]) -> None:
        page = Page(report_html(*ask()))
        assert not page.all("script", "img", "link", "iframe", "object", "form", "base")
        studies = {one.url for one in references().values() if one.url}
        assert {link["href"] for link in page.all("a")} <= studies
        for tag, attributes in page.found:
            assert not {"style", "src", *(["href"] if tag != "a" else [])} & attributes.keys()
            assert not [name for name in attributes if name.startswith("on")]

    def test_its_policy_allows_its_own_style_and_nothing_else(
        self, ask: Callable[..., Any]
    ) -> None:
        html = report_html(*ask())
        inside = html.partition("<style>")[2].partition("</style>")[0]
        own = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"style-src 'sha256-{own}'" in content_policy(style())
        assert "default-src 'none'" in content_policy(style())
        assert "unsafe" not in content_policy(style())
        assert "http" not in inside
        assert "@import" not in inside
        stated = Page(html).all("meta")[1]["content"]
        assert stated
        assert content_policy(style()).startswith(stated)

    def test_a_title_is_text_and_nothing_more(self, ask: Callable[..., Any]) -> None:
        title = '<script>alert(1)</script> & "O\'Neil" [x](http://y) {{ 7 * 7 }}\n# z'
        html = report_html(*ask(), title=title, date="<b>today</b>")
        assert "<script" not in html
        assert "<b>today" not in html
        assert "{{ 7 * 7 }}" in html
        markdown = report_markdown(*ask(), title=title, date="*today*")
        heading = markdown.splitlines()[0]
        assert heading.startswith("# Knee screening: ")
        assert not re.search(r"(?<!\\)[<*\[]", heading)
        assert "](http://y" not in markdown
        assert "\\*today\\*" in markdown

    def test_without_a_title_nobody_is_named(self, ask: Callable[..., Any]) -> None:
        assert report_markdown(*ask()).startswith("# Knee screening\n")
        assert "<h1>Knee screening</h1>" in report_html(*ask())


class TestReads:
    def test_headings_are_in_order_and_the_language_is_stated(
        self, ask: Callable[..., Any]
    ) -> None:
        page = Page(report_html(*ask()))
        levels = [int(tag[1]) for tag, _ in page.found if re.fullmatch(r"h[1-6]", tag)]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(after <= before + 1 for before, after in pairwise(levels))
        assert page.all("html")[0]["lang"] == "en"

    def test_what_to_do_comes_before_the_proof(self, ask: Callable[..., Any]) -> None:
        text = told(ask())
        summary = ask()[0].summary[0]
        parts = (summary, "Risk of new knee pain", "How much was learnt", "Plan", "Measure next",
                 "Muscle patterns", "What moves the risk", "Right compared with left",
                 "Why the intervals")  # fmt: skip
        places = [text.index(part) for part in parts]
        assert places == sorted(places)

    def test_pictures_say_what_they_show(self, ask: Callable[..., Any]) -> None:
        page = Page(report_html(*ask()))
        for picture in page.all("svg"):
            nested = "x" in picture
            named = picture.get("aria-label") or picture.get("aria-labelledby")
            assert nested or named or picture.get("aria-hidden") == "true"
        assert "title" in [tag for tag, _ in page.found]
        assert "desc" in [tag for tag, _ in page.found]

    def test_the_numbers_are_the_answer_s(self, ask: Callable[..., Any]) -> None:
        found, screening = ask()
        text = told((found, screening))
        markdown = report_markdown(found, screening)
        for side in ("right", "left"):
            risk = getattr(found.risk, side)
            low, high = (round(100 * bound) for bound in risk.interval)
            assert (
                f"Put together, studies suggest about {risk.per_100} in 100 runners like this one "
                f"get new pain in the {side} knee"
            ) in markdown
            assert f"as few as {low} or as many as {high}" in markdown
            assert f"{side.capitalize()}, {low} to {high}" in text
        base = found.risk.base_rate
        usual = f"{round(100 * base.leg)} in 100 for one knee and {round(100 * base.either)} in 100"
        assert usual in text
        assert usual in markdown

    def test_right_comes_first(self, ask: Callable[..., Any]) -> None:
        for text in (told(ask()), report_markdown(*ask())):
            assert text.index("ight knee") < text.index("eft knee")
        drawing = report_html(*ask()).partition('class="legs"')[2]
        assert drawing.index('class="body"') < drawing.index("scale(-1 1)")

    def test_who_it_is_about_and_when(self, ask: Callable[..., Any]) -> None:
        html = report_html(*ask(), title="Number 17", date="2026-11-18")
        assert "Knee screening: Number 17" in html
        assert "29 years, female, running, 168 cm, 60 kg. Screened 2026-11-18" in html


def risk(probability: float, band: str = "near", **more: Any) -> Risk:
    low, high = probability / 2, min(1.0, 2 * probability)
    return Risk(probability=probability, interval=(low, high), per_100=round(100 * probability),
                band=band, **more)  # fmt: skip


def with_risks(found: Answer, **risks: Any) -> Answer:
    return found.model_copy(update={"risk": found.risk.model_copy(update=risks)})


class TestRisk:
    @pytest.mark.parametrize(
        ("band", "said"),
        [("below", "lower than usual for a runner"), ("near", "typical for a runner"),
         ("above", "raised risk"), ("well_above", "twice the usual risk or more")],
    )  # fmt: skip
    def test_band_in_words_and_in_the_ring(
        self, ask: Callable[..., Any], band: str, said: str
    ) -> None:
        found, screening = ask()
        found = with_risks(found, right=risk(0.1, band), left=risk(0.1, band))
        assert told((found, screening)).count(said) == 2
        assert f"Both knees: {said}." in report_markdown(found, screening)
        rings = {"below": "calm", "near": "calm", "above": "raised", "well_above": "high"}
        classes = Page(report_html(found, screening)).classes()
        assert f"ring-{rings[band]}" in classes
        # Not by colour alone: a raised risk has another shape.
        assert ("point-up" in classes) == (band in {"above", "well_above"})

    def test_two_knees_that_overlap_are_not_told_apart(self, ask: Callable[..., Any]) -> None:
        found, screening = ask()
        near = with_risks(found, right=risk(0.12, "above"), left=risk(0.09))
        far = with_risks(found, right=risk(0.30, "well_above"), left=risk(0.03, "below"))
        assert "don't read much into which knee is higher" in told((near, screening))
        assert "don't read much into which knee is higher" not in told((far, screening))

    def test_beyond_the_axis_is_clamped_and_said(self, ask: Callable[..., Any]) -> None:
        found, screening = ask()
        found = with_risks(found, right=risk(0.6, "well_above"))
        assert "Arrow: continues beyond 40" in told((found, screening))
        assert "beyond" in Page(report_html(found, screening)).classes()
        calm = with_risks(found, right=risk(0.1), left=risk(0.1))
        assert "Arrow" not in told((calm, screening))

    def test_nobody_and_everybody_are_never_said(self) -> None:
        assert in_100(0.001) == "fewer than 1"
        assert in_100(0.006) == "1"
        assert in_100(0.9999) == "99"

    def test_a_model_without_sides_has_one_bar(self, ask: Callable[..., Any]) -> None:
        found, screening = ask()
        one = found.model_copy(update={
            "risk": Risks(status="ok", reasons=[], outcome_kind="past_injury",
                          base_rate={"either": 0.3}, either=risk(0.2, "below")),
            "drivers": [], "imbalances": None, "likely": None, "advice": [],
        })  # fmt: skip
        one = one.model_copy(update={"summary": summary_of(one, "running")})
        text = told((one, screening))
        assert "lower than usual for a runner" in text
        assert "studies suggest about 20 in 100 runners like this one have had an injury of" in text
        assert "Muscle patterns" not in text
        assert len([c for c in Page(report_html(one, screening)).all("svg")
                    if c.get("class") == "bar"]) == 1  # fmt: skip


class TestWhereItComesFrom:
    """What stands behind the numbers: whose they are, what they count, why they are wide."""

    @pytest.mark.parametrize(
        ("cohort", "said"),
        [("simulated", "Put together, studies suggest about"),
         ("observed", "Judging by the athletes it was fitted to, about"),
         ("adapted", "Put together, studies and a club's outcomes suggest about")],
    )  # fmt: skip
    def test_a_risk_says_who_says_so(self, ask: Callable[..., Any], cohort: str, said: str) -> None:
        found, screening = ask()
        model = found.model.model_copy(update={"cohort": cohort})
        other = found.model_copy(update={"model": model})
        other = other.model_copy(update={"summary": summary_of(other, "running")})
        assert said in told((other, screening))
        assert f"{said} {found.risk.right.per_100} in 100" in report_markdown(other, screening)

    def test_the_width_is_split_and_its_parts_fill_the_bar(self, ask: Callable[..., Any]) -> None:
        found, screening = ask()
        html, markdown = report_html(found, screening), report_markdown(found, screening)
        bars = [a for a in Page(html).all("svg") if a.get("class") == "width-bar"]
        assert len(bars) == 2
        for bar, side in zip(bars, ("right", "left"), strict=True):
            shares = getattr(found.risk, side).interval_from
            said = (
                f"what counts as pain {100 * shares['definition']:.0f} %, "
                f"studies disagree {100 * shares['studies']:.0f} %, "
                f"tests not done {100 * shares['tests_not_done']:.0f} %, "
                f"test error {100 * shares['test_error']:.0f} %"
            )
            assert bar["aria-label"] == f"{side.capitalize()} knee: {said}"
            assert said in markdown
            parts = width_parts(getattr(found.risk, side))
            assert sum(part.width for part in parts) == pytest.approx(100, abs=0.1)
            assert [part.start for part in parts] == sorted(part.start for part in parts)

    def test_a_model_that_tells_no_sources_shows_none(self, ask: Callable[..., Any]) -> None:
        found, screening = ask()
        found = with_risks(found, right=risk(0.1), left=risk(0.1), either=risk(0.18))
        for text in (told((found, screening)), report_markdown(found, screening)):
            assert "Why the intervals" not in text
            assert "simulated clubs" not in text
            assert "a week of training lost" not in text

    def test_the_worst_coverage_stands_by_the_interval(self, ask: Callable[..., Any]) -> None:
        club = {"setting": {"knee_pain_per_100": 20, "of": 60}}
        for text in (told(ask()), report_markdown(*ask())):
            assert re.search(r"in 1 of 20 simulated clubs, the interval held [\d.]+ %", text)
            assert "This counts pain of 3 out of 10 or more for two weeks" in text
            assert "Your club's own count" not in text
        text = told(ask(**club))
        assert "Put together, studies and your club's count suggest about" in text
        assert "Your club's own count is in the usual risk." in text
        assert re.search(r"clubs that had counted 60 athletes, the interval held [\d.]+ %", text)

    def test_nothing_measured_is_not_compared(self, released: Bundle) -> None:
        body = {"athlete": {"age_years": 29, "sex": "female", "sport": "running"}}
        plain = Screening.model_validate(body)
        found = answer(released, plain)
        assert found.risk.right.band == "not_assessed"
        for text in (told((found, plain)), report_markdown(found, plain)):
            assert "Too little was measured to say what is likely for these knees." in text
            assert not re.search(r"\d in 100|times the usual|typical for", text)
        assert not {"ring-high", "ring-raised"} & Page(report_html(found, plain)).classes()

    def test_the_coming_week_is_apart_from_the_year(self, ask: Callable[..., Any]) -> None:
        found, screening = ask(athlete=TESTED["athlete"] | {"session_spike_ratio": 1.4})
        for text in (told((found, screening)), report_markdown(found, screening)):
            assert "The longest session is 1.40 times" in text
            assert "not about the knee in 12 months. Sources:" in text
            assert "(https://doi.org/10.1136/bjsports-2024-109380)" in report_markdown(
                found, screening
            )
        other, body = ask(athlete=TESTED["athlete"] | {"sport": "volleyball"})
        assert other.coming_week is None
        assert "The coming week" not in told((other, body))


class TestDrivers:
    @pytest.mark.parametrize(
        ("size", "short", "whole"),
        [("published", "published", "size printed in a study"),
         ("judged", "judged", "size judged from studies"),
         ("null", "no effect", "no effect of its own"), (None, "no effect", "no effect of its own"),
         ("cohort", "fitted", "size from the athletes it was fitted to")],
    )  # fmt: skip
    def test_each_says_where_its_size_comes_from(
        self, ask: Callable[..., Any], size: str | None, short: str, whole: str
    ) -> None:
        found, screening = ask()
        found = with_risks(found, right=risk(0.11, typical_probability=0.06), left=None)
        driver = self.driver("weekly_run_km", 5.0, label="Running", size_from=size)
        found = found.model_copy(update={"drivers": [driver]})
        text = told((found, screening))
        assert f"Running {short}" in text
        key = (
            f"{short.capitalize()}: {whole}." if short != "no effect" else "No effect: none of its"
        )
        assert key in text
        assert f"| Running | {whole} |" in report_markdown(found, screening)

    def driver(self, measure: str, points: float, side: str = "right", **more: Any) -> Driver:
        label = more.get("label", measure)
        facts = {"label": label, "heading": label, "statement": label, "group": "load",
                 "modifiable": True, "log_odds": 0.0, "advice": []}  # fmt: skip
        return Driver(side=side, measure=measure, points=points, **(facts | more))

    def test_shown_figures_add_up_to_the_last_decimal(self, ask: Callable[..., Any]) -> None:
        found, _ = ask()
        for named in (1, 3, 20):
            shown = driver_table(found, named)
            assert shown
            for at, _ in enumerate(shown.knees):
                parts = [float(group.sums[at].replace(MINUS, "-")) for group in shown.groups]
                start, end = float(shown.starts[at]), float(shown.ends[at])
                assert start + sum(parts) == pytest.approx(end, abs=1e-9)
                for group, part in zip(shown.groups, parts, strict=True):
                    cells = [row.cells[at] for row in group.rows if row.cells[at]]
                    rows = [float(cell.signed_points.replace(MINUS, "-")) for cell in cells]
                    assert sum(rows) == pytest.approx(part, abs=1e-9)

    def test_what_can_change_is_apart_from_what_can_t(self, ask: Callable[..., Any]) -> None:
        found, _ = ask()
        found = with_risks(found, right=risk(0.11, typical_probability=0.06), left=None)
        fixed = self.driver("age_years", 2.0, modifiable=False, label="Age", value=29)
        found = found.model_copy(update={"drivers": [self.driver("weekly_run_km", 3.0), fixed]})
        shown = driver_table(found)
        assert shown
        assert [(group.title, group.sums) for group in shown.groups] == [
            ("Can change", ("+3.0",)), ("Can't change", ("+2.0",))]  # fmt: skip
        assert shown.groups[1].rows[0].cells[0].value == "29 years"

    def test_bars_stay_in_their_box_where_all_lowers(self, ask: Callable[..., Any]) -> None:
        found, _ = ask()
        found = with_risks(found, right=risk(0.03, typical_probability=0.08), left=None)
        shown = driver_table(found.model_copy(update={"drivers": [self.driver("a", -5.0)]}))
        assert shown
        assert (shown.lowest, shown.highest) == (-5.0, 0.0)

    def test_most_is_what_raises_and_can_change(self, ask: Callable[..., Any]) -> None:
        found, screening = ask()
        drivers = [self.driver("b", -4.0), self.driver("c", 3.0, modifiable=False),
                   self.driver("a", 1.2), self.driver("d", 0.2)]  # fmt: skip
        text = report_markdown(*(found.model_copy(update={"drivers": drivers}), screening))
        assert "What can change and raises the risk most: a (+1.2 points out of 100)." in text
        text = report_markdown(*(found.model_copy(update={"drivers": drivers[:2]}), screening))
        assert "Nothing measured that can change raises the risk" in text

    def test_a_knee_without_a_risk_has_no_column(self, ask: Callable[..., Any]) -> None:
        found, _ = ask(pain={"right": {"pain_nrs": 4}})
        shown = driver_table(found)
        assert shown is not None
        assert shown.knees == ("left",)
        assert driver_table(found.model_copy(update={"drivers": []})) is None


class TestPatterns:
    def named(self, found: Answer, statuses: dict[tuple[str, str], str]) -> Answer:
        changed = [
            replace(one, status=statuses.get((one.side, one.name), "not_supported"))
            for one in found.imbalances or ()
        ]
        return found.model_copy(update={"imbalances": changed, "likely": None})

    @pytest.mark.parametrize(
        ("again", "said"), [(0.81, "8 of 10"), (1.0, "more than 9 of 10"), (0.62, "6 of 10")]
    )
    def test_a_named_one_says_how_often_it_would_be_named_again(
        self, ask: Callable[..., Any], again: float, said: str
    ) -> None:
        found, screening = ask()
        found = self.named(found, {("right", "calf_tightness"): "clear"})
        parts = {"named_again": again, "interval": (0.123, 0.987), "probability": 0.5}
        changed = [replace(one, **parts) for one in found.imbalances or ()]
        found = found.model_copy(update={"imbalances": changed})
        for text in (told((found, screening)), report_markdown(found, screening)):
            assert f" repeat would name it again in {said}" in text
            assert "(12 to 99)" not in text

    def test_muscles_are_painted_where_a_pattern_points(self, ask: Callable[..., Any]) -> None:
        found, screening = ask()
        found = self.named(found, {("right", "calf_tightness"): "clear",
                                   ("left", "glute_underactivity"): "possible",
                                   ("left", "vmo_inhibition"): "cannot_tell"})  # fmt: skip
        html = report_html(found, screening)
        right, _, left = html.partition('class="legs"')[2].partition("scale(-1 1)")
        assert (right.count("p-clear"), left.partition("</g>")[0].count("p-clear")) == (2, 0)
        assert left.partition("</g>")[0].count("p-possible") == 2
        assert left.partition("</g>")[0].count("p-open") == 1
        assert html.count('class="num num-clear"') == 1
        assert html.count('class="num num-possible"') == 1
        described = html.partition('id="legs-desc">')[2].partition("<")[0]
        assert described == (
            "Right leg, clear: tight calves. Left leg, possible: under-active glutes."
        )

    def test_every_pattern_is_listed_with_its_number(self, ask: Callable[..., Any]) -> None:
        found, screening = ask()
        every = {(one.side, one.name): "clear" for one in found.imbalances or ()}
        page = Page(report_html(self.named(found, every), screening))
        numbers = [a for a in page.all("span") if (a.get("class") or "").startswith("no")]
        assert len(numbers) == 10
        assert len([a for a in page.all("circle") if a.get("class") == "num num-clear"]) == 10

    def test_nothing_named_is_said_once_for_both_legs(self, ask: Callable[..., Any]) -> None:
        found, screening = ask()
        none = self.named(found, {})
        assert "Both legs: no pattern is named." in told((none, screening))
        untold = {(one.side, one.name): "cannot_tell" for one in found.imbalances or ()}
        text = told((self.named(found, untold), screening))
        assert "Both legs: no pattern can be told yet." in text

    def test_values_are_shown_with_what_is_typical(self, ask: Callable[..., Any]) -> None:
        found, screening = ask()
        pattern = next(one for one in found.imbalances or () if one.pattern)
        row = pattern.pattern[0]
        found = self.named(found, {(pattern.side, pattern.name): "clear"})
        usual = typical(row.typical.mean, row.typical.sd, row.unit)
        for text in (told((found, screening)), report_markdown(found, screening)):
            assert row.label in text
            assert amount(row.value, row.unit) in text
            assert usual in text

    def test_an_answer_without_its_parts_is_laid_out(self, ask: Callable[..., Any]) -> None:
        found, screening = ask()
        bare = found.model_copy(update={
            "drivers": [], "likely": None, "imbalances": None, "side_differences": [],
            "next_tests": [], "advice": [], "coming_week": None, "plan": None,
        })  # fmt: skip
        assert "Measure next Nothing else at hand is worth the time." in told((bare, screening))
        text = told((bare, screening))
        for heading in ("Muscle patterns", "What moves", "What to do", "Stop rule", "Plan"):
            assert heading not in text
        assert "No measure was taken on both legs" in text
        assert "## What to do" not in report_markdown(bare, screening)

    def test_imbalances_are_never_more_sure_than_told(self, ask: Callable[..., Any]) -> None:
        found, screening = ask()
        one = next(iter(found.imbalances or ()))
        assert isinstance(one, Imbalance)
        sure = self.named(found, {(one.side, one.name): "possible"})
        assert f"{one.side.capitalize()}: {one.label.partition(':')[0]} possible" in told(
            (sure, screening)
        )


class TestRedFlags:
    @pytest.mark.parametrize("code", ["visible_deformity", "night_or_unremitting_rest_pain"])
    def test_a_report_that_refers_has_no_score(self, ask: Callable[..., Any], code: str) -> None:
        found, screening = ask(red_flags=[code], pain={"right": {"pain_nrs": 7}})
        when = "today" if red_flags()[code].urgency == "emergency" else "within a few days"
        html, markdown = report_html(found, screening), report_markdown(found, screening)
        for text in (told((found, screening)), markdown):
            assert f"See a clinician first, {when}." in text
            assert red_flags()[code].reason in text
            assert "The right knee hurts now: 7 out of 10." in text
            assert "in 100" not in text
            assert "Muscle patterns" not in text
            assert "Measure next" not in text
            assert "Stop rule" not in text
        classes = Page(html).classes()
        assert "alarm" in classes
        assert not classes & {"bar", "legs", "drivers", "advice"}

    def test_a_routine_one_stands_beside_the_numbers(self, ask: Callable[..., Any]) -> None:
        text = told(ask(red_flags=["effusion"]))
        assert "Red flags: 1 of those asked applies." in text
        assert red_flags()["effusion"].reason in text
        assert "in 100" in text

    def test_not_asked_never_looks_like_cleared(
        self, ask: Callable[..., Any], released: Bundle
    ) -> None:
        screening = Screening.model_validate({k: v for k, v in TESTED.items() if k != "red_flags"})
        unasked = told((answer(released, screening), screening))
        assert "Red flags were not asked about." in unasked
        assert "none apply" not in unasked
        assert "Red flags: all asked, none apply." in told(ask())


class TestStatus:
    def test_a_knee_that_hurts_is_said_and_drawn(self, ask: Callable[..., Any]) -> None:
        pain = {"left": {"pain_nrs": 3, "pain_site": "lateral", "pain_weeks": 6}}
        found = ask(pain=pain)
        text = told(found)
        assert "Left knee: hurts now." in text
        assert "The left knee hurts now: 3 out of 10, on the outside, for 6 weeks." in text
        assert "new pain in the left knee" not in text
        assert "ring-hurts" in Page(report_html(*found)).classes()

    def test_both_hurt(self, ask: Callable[..., Any]) -> None:
        text = told(ask(pain={"left": {"pain_nrs": 3}, "right": {"pain_nrs": 2}}))
        assert "Both knees: hurt now." in text
        assert not re.search(r"\d in 100 ", text.partition("Muscle patterns")[0])

    def test_little_is_said_to_be_little(self, released: Bundle) -> None:
        plain = Screening.model_validate({"athlete": {"age_years": 29, "sex": "female"}})
        assert "Too little was measured to say what is likely" in told(
            (answer(released, plain), plain)
        )

    def test_no_number_is_printed_for_an_age_that_was_not_seen(
        self, ask: Callable[..., Any]
    ) -> None:
        found = ask(athlete=TESTED["athlete"] | {"age_years": 14})
        for text in (told(found), report_markdown(*found)):
            assert "The model has not seen such athletes, so no number is given" in text
            assert not re.search(r"raised risk|typical for|than usual", text)
            assert "What moves the risk" not in text
        page = Page(report_html(*found))
        assert not {"bar", "ring-high", "ring-raised", "ring-calm"} & page.classes()

    def test_outside_what_was_seen_is_named_with_its_side(self, ask: Callable[..., Any]) -> None:
        text = told(ask(right=TESTED["right"] | {"hip_drop_deg": 24}))
        assert "Read the numbers with care: right leg, Hip drop is outside" in text


class TestNumbers:
    @pytest.mark.parametrize(
        ("value", "unit", "said"),
        [(38.0, "deg", "38°"), (8.62, "deg", "8.6°"), (2.1, "Nm/kg", "2.10 Nm/kg"),
         (-0.04, "deg", "0°"), (-3.25, "deg", f"{MINUS}3.2°"), (1.24, "ratio", "1.24"),
         (27.0, "years", "27 years"), (0.372, "s", "0.372 s"), (1, "grade", "1")],
    )  # fmt: skip
    def test_a_unit_has_its_decimals(self, value: float, unit: str, said: str) -> None:
        assert amount(value, unit) == said
        assert said.startswith(number(value, unit))

    def test_points_have_a_sign(self) -> None:
        assert [signed(x) for x in (3.14, -0.9, 0.04, -0.04)] == [
            "+3.1",
            f"{MINUS}0.9",
            "0.0",
            "0.0",
        ]

    def test_lists_and_sentences(self) -> None:
        assert [listed(x) for x in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
            "", "a", "a and b", "a, b and c"]  # fmt: skip
        assert sentence("see a clinician") == "See a clinician."
        assert sentence("") == ""

    def test_a_mean_of_grades_is_not_whole(self) -> None:
        assert typical(0.3, 0.55, "grade") == "0.3 ± 0.6"
        assert typical(40.0, 6.0, "deg") == "40 ± 6"


@pytest.fixture
def kneerisk(monkeypatch, tmp_path, capsys, champion_models: Path):
    """Run `kneerisk report` in an empty folder; gives its exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "club.csv").write_text(
        "athlete_id,screening_date,age_years,sex,left_hip_drop_deg\n"
        "A1,2026-03-01,30,male,4\nA1,2026-09-01,30,male,5\nA/2,2026-03-01,25,female,6\n"
    )

    def run(*arguments: object) -> tuple[int, str, str]:
        command = ["kneerisk", "report", "club.csv", "--models", champion_models, *arguments]
        monkeypatch.setattr(sys, "argv", [str(part) for part in command])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return run


class TestCommand:
    def test_the_last_screening_is_taken(self, kneerisk, tmp_path: Path) -> None:
        code, out, _ = kneerisk("--athlete", "A1", "--json")
        assert code == 0
        assert '"screening_date": "2026-09-01"' in out
        html = (tmp_path / "A1.html").read_text(encoding="utf-8")
        assert "Knee screening: A1" in html
        assert "Screened 2026-09-01" in html

    def test_another_date_and_form(self, kneerisk, tmp_path: Path) -> None:
        code, out, _ = kneerisk("--athlete", "A1", "--date", "2026-03-01", "--out", "to/a.md")
        assert code == 0
        assert "to/a.md" in out
        assert "Screened 2026\\-03\\-01" in (tmp_path / "to/a.md").read_text(encoding="utf-8")
        assert kneerisk("--athlete", "A/2", "--format", "md")[0] == 0
        assert (tmp_path / "A-2.md").is_file()

    def test_whoever_is_not_there_is_not_looked_for_among_names(self, kneerisk) -> None:
        code, out, err = kneerisk("--athlete", "A")
        assert (code, out) == (1, "")
        assert err.splitlines()[-1].endswith("has no athlete of that id; it has 2 athletes")
        assert "A1" not in err

    def test_a_date_without_a_screening(self, kneerisk) -> None:
        code, _, err = kneerisk("--athlete", "A1", "--date", "2025-01-01")
        assert code == 1
        assert err.splitlines()[-1].endswith("has 2 screenings of this athlete, none on that date")


@pytest.mark.slow
def test_every_example_prints_on_one_page(
    released: Bundle, browser: Browser, tmp_path: Path
) -> None:
    page, file = browser.new_page(), tmp_path / "page.html"
    for case in examples.cases():
        screening = Screening.model_validate(case.body)
        html = report_html(answer(released, screening), screening, "A. Athlete", "2026-11-18")
        file.write_text(html, encoding="utf-8")
        page.goto(file.as_uri())
        printed = page.pdf(prefer_css_page_size=True)
        assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1, case.name
