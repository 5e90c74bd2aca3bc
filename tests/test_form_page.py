"""The form, filled in as devices show values: units, slips, what is at hand, a way back."""

from __future__ import annotations

import pytest
from browser import Opener, Seen
from playwright.sync_api import Locator, expect

pytestmark = pytest.mark.slow

PHONE = (390, 844)


def start(seen: Seen) -> None:
    """Age and sex: enough for a first answer."""
    seen.page.get_by_label("Age required").fill("27")
    seen.page.get_by_label("Sex required").select_option("female")


def field(seen: Seen, label: str) -> Locator:
    """A field of the athlete by its name."""
    return seen.page.get_by_label(label, exact=True).and_(seen.page.locator("input"))


def legs(seen: Seen, measure: str) -> Locator:
    """The row of a measure of both legs."""
    return seen.page.get_by_role("group", name=measure)


class TestUnits:
    @pytest.mark.parametrize(
        ("measure", "unit", "typed", "name", "own"),
        [
            ("Quadriceps strength", "Nm", "210", "quad_torque_nm_kg", 210 / 71),
            ("Quadriceps strength", "N", "600", "quad_torque_nm_kg", 600 * 0.36 / 71),
            ("Hip abduction strength", "kgf", "22,5", "hip_abduction_pct_bw", 100 * 22.5 / 71),
            ("Hip abduction strength", "N", "250", "hip_abduction_pct_bw", 25000 / 9.80665 / 71),
        ],
    )
    def test_a_value_is_read_in_the_unit_that_the_device_shows(
        self, opened: Opener, measure: str, unit: str, typed: str, name: str, own: float
    ) -> None:
        seen = opened()
        start(seen)
        seen.page.get_by_role("group", name="Knee strength mode").get_by_text(
            "Isometric", exact=True
        ).click()
        row = legs(seen, measure)
        row.get_by_label("Unit of").select_option(unit)
        row.locator(".pair input").first.fill(typed)
        expect(seen.page.get_by_role("main")).to_contain_text(
            "Waits for the lever arm"
            if unit == "N" and "Quad" in measure
            else "Waits for body mass"
        )
        field(seen, "Body mass").fill("71")
        if row.get_by_label("Lever arm").count():
            row.get_by_label("Lever arm").fill("36")
        seen.settled()
        sent = seen.asked("/v1/predict")[-1]["right"][name]
        assert sent == pytest.approx(own, rel=1e-5)
        expect(row.locator(".units")).to_contain_text("= ")

    def test_pounds_inches_and_metres(self, opened: Opener) -> None:
        seen = opened()
        start(seen)
        for label, unit, typed, name, own in (
            ("Body mass", "lb", "159", "mass_kg", 159 * 0.45359237),
            ("Height", "inch", "66,5", "height_cm", 66.5 * 2.54),
            ("Height", "m", "1,78", "height_cm", 178),
        ):
            seen.page.get_by_label(f"Unit of {label}").select_option(unit)
            field(seen, label).fill(typed)
            seen.settled()
            sent = seen.asked("/v1/predict")[-1]["athlete"][name]
            assert sent == pytest.approx(own, rel=1e-5)

    def test_the_page_remembers_the_unit_and_reads_what_is_stored_in_its_own(
        self, opened: Opener
    ) -> None:
        seen = opened()
        start(seen)
        seen.page.get_by_label("Unit of Body mass").select_option("lb")
        field(seen, "Body mass").fill("159")
        seen.settled()
        seen.page.reload()
        seen.settled()
        expect(field(seen, "Body mass")).to_have_value("159")
        sent = seen.asked("/v1/predict")[-1]["athlete"]["mass_kg"]
        assert sent == pytest.approx(159 * 0.45359237, rel=1e-5)
        seen.page.get_by_role("button", name="Start a new screening").click()
        expect(seen.page.get_by_label("Unit of Body mass")).to_have_value("lb")
        # What is opened with values is in its own unit, whatever was chosen last.
        row = legs(seen, "Quadriceps strength")
        row.get_by_label("Unit of").select_option("Nm")
        seen.page.get_by_role("button", name="Fill in an example").click()
        seen.settled()
        expect(row.get_by_label("Unit of")).to_have_value("")
        shown = float(row.locator(".pair input").first.input_value())
        assert seen.asked("/v1/predict")[-1]["right"]["quad_torque_nm_kg"] == shown

    def test_the_units_are_those_of_the_sheets(self, opened: Opener) -> None:
        seen = opened()
        told = seen.page.evaluate("fetch('v1/texts').then((answer) => answer.json())")["units"]
        shown = legs(seen, "Hip abduction strength").get_by_label("Unit of").locator("option")
        assert shown.count() == 1 + len(told["hip_abduction_pct_bw"])


class TestSlips:
    def test_a_slip_is_explained_before_age_and_sex_are_given(self, opened: Opener) -> None:
        seen = opened()
        field(seen, "Height").fill("1,78")
        fault = seen.page.locator(".fault", has_text="1.78 m is 178 cm")
        fault.get_by_role("button").click()
        expect(field(seen, "Height")).to_have_value("178")
        expect(seen.page.locator(".fault")).to_have_count(0)
        for label, typed, told, taken in (
            ("Body mass", "159 lb", "159 lb is 72.12 kg", "72.12"),
            ("Step rate", "82", "82 steps/min of one leg is 164", "164"),
        ):
            field(seen, label).fill(typed)
            seen.page.locator(".fault", has_text=told).get_by_role("button").click()
            expect(field(seen, label)).to_have_value(taken)
        field(seen, "Body mass").fill("71")
        row = legs(seen, "Quadriceps strength")
        row.locator(".pair input").first.fill("210")
        expect(row).to_contain_text("210 Nm at 71 kg is 2.96 Nm/kg")

    def test_a_fault_in_the_age_is_what_is_missing(self, opened: Opener) -> None:
        seen = opened()
        start(seen)
        seen.settled()
        seen.page.get_by_label("Age required").fill("270")
        seen.settled()
        expect(seen.page.get_by_role("complementary")).to_contain_text("put age right first")
        seen.view("Answer")
        expect(seen.page.get_by_role("main")).to_contain_text("put age right first")


class TestTheOrder:
    def test_age_and_sex_come_first_and_red_flags_before_any_test(self, opened: Opener) -> None:
        seen = opened()
        places = [
            seen.page.locator(selector).evaluate("e => e.getBoundingClientRect().top")
            for selector in ("#st-athlete", "#st-flags", "#st-wall")
        ]
        assert places == sorted(places)

    def test_it_asks_for_what_is_at_hand_alone(self, opened: Opener) -> None:
        seen = opened()
        expect(legs(seen, "Quadriceps strength")).to_have_count(1)
        seen.page.get_by_label("Tests at hand").select_option("tape")
        expect(legs(seen, "Quadriceps strength")).to_have_count(0)
        expect(legs(seen, "Ankle bend, lunge test")).to_have_count(1)
        start(seen)
        seen.settled()
        assert seen.asked("/v1/predict")[-1]["equipment"] == ["none", "tape_or_phone"]

    def test_a_new_form_can_be_undone(self, opened: Opener) -> None:
        seen = opened()
        start(seen)
        seen.page.get_by_label("Name or initials").fill("Mara")
        seen.settled()
        seen.page.get_by_role("button", name="Start a new screening").click()
        expect(seen.page.get_by_label("Age required")).to_have_value("")
        seen.page.get_by_role("button", name="Undo").click()
        expect(seen.page.get_by_label("Age required")).to_have_value("27")
        expect(seen.page.get_by_label("Name or initials")).to_have_value("Mara")
        expect(seen.page.get_by_role("button", name="Undo")).to_have_count(0)

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_axe_finds_nothing_and_nothing_reaches_over_the_side(
        self, opened: Opener, scheme: str
    ) -> None:
        seen = opened(color_scheme=scheme, size=PHONE, has_touch=True, is_mobile=True)
        row = legs(seen, "Quadriceps strength")
        row.get_by_label("Unit of").select_option("N")
        row.locator(".pair input").first.fill("600")
        field(seen, "Height").fill("1,78")
        expect(seen.page.locator(".fault", has_text="178 cm")).to_be_visible()
        assert seen.axe() == []
        assert seen.overflow() <= 0
        seen.shot(f"phone-{scheme}-form-units")
