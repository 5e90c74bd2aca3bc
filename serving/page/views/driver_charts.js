// What drives each risk: points that add up from the typical athlete's risk to this one's.
import { capitalized, points } from "../lib/number_format.js";
import { text, variant } from "../lib/texts.js";
import { kneeName, sizeFrom, typicalAthlete } from "../lib/wording.js";
import { html, nothing } from "../vendor/lit-html.js";
import { contributionBar } from "./charts.js";
import { kneesOf } from "./knee_cards.js";

/** Drivers with fewer points than this are shown together, in 100. */
const SMALL_POINTS = 0.15;

const sumOf = (drivers) => drivers.reduce((total, driver) => total + driver.points, 0);

export function driverCharts(answer, sport) {
  const knees = kneesOf(answer.risk).filter(
    (knee) => answer.risk[knee] && answer.drivers.some((driver) => driver.side === knee),
  );
  if (!knees.length) return nothing;
  const all = answer.drivers.map((driver) => driver.points);
  const scale = [Math.min(0, ...all), Math.max(0, ...all)];
  return html`<section class="section" id="a-drivers" aria-labelledby="h-drv">
    <h2 id="h-drv">${text("page.drivers.heading")}</h2>
    <p>${text("page.drivers.explanation", { athlete: typicalAthlete(sport) })}</p>
    <div class="two">${knees.map((knee) => chart(answer, knee, sport, scale))}</div>
  </section>`;
}

function chart(answer, knee, sport, scale) {
  const own = answer.drivers.filter((driver) => driver.side === knee);
  const risk = answer.risk[knee];
  const groups = [
    ["modifiable", own.filter((driver) => driver.modifiable)],
    ["fixed", own.filter((driver) => !driver.modifiable)],
  ].filter(([, drivers]) => drivers.length);
  const start = 100 * (risk.typical_probability ?? risk.probability - sumOf(own) / 100);
  const id = `h-drv-${knee}`;
  return html`<section class="card num" aria-labelledby=${id}><h3 id=${id}>${kneeName(knee)}</h3>
    ${groups.map((group) => groupBars(group, scale))}
    <p class="sum"><span>${capitalized(typicalAthlete(sport))} <b>${start.toFixed(1)}</b></span>
      ${groups.map(groupSum)}
      <span>= ${kneeInline(knee)} <b>${(100 * risk.probability).toFixed(1)}</b></span></p>
  </section>`;
}

const kneeInline = (knee) => kneeName(knee).toLowerCase();

function groupBars([name, drivers], scale) {
  const sum = points(sumOf(drivers));
  return html`<p class="drv__g"><span>${variant("page.drivers.group", name)}</span>
      <span>${sum}</span></p>
    <ul class="drv">${bars(drivers, scale)}</ul>`;
}

function groupSum([name, drivers]) {
  const sum = points(sumOf(drivers));
  return html`<span>${variant("page.drivers.group", name).toLowerCase()} <b>${sum}</b></span>`;
}

function bars(drivers, [min, max]) {
  const sorted = [...drivers].sort((a, b) => Math.abs(b.points) - Math.abs(a.points));
  const isLarge = (driver) => Math.abs(driver.points) >= SMALL_POINTS;
  const small = sorted.filter((driver) => !isLarge(driver));
  return html`${sorted.filter(isLarge).map((driver) => bar(driver, min, max))}
    ${small.length ? smallBar(small, min, max) : nothing}`;
}

const bar = (driver, min, max) => {
  const group =
    driver.group === "tests"
      ? text("page.drivers.tests_group")
      : text("page.drivers.which", { group: driver.group, size: sizeFrom(driver) });
  return html`<li><span>${driver.statement}<small>${group}</small>${untested(driver)}</span>
    ${contributionBar(driver.points, min, max)}<b>${points(driver.points)}</b></li>`;
};

const untested = (driver) =>
  driver.untested ? html`<small>${text("shared.advice.untested")}</small>` : nothing;

function smallBar(drivers, min, max) {
  const together = sumOf(drivers);
  const labels = drivers.map((driver) => driver.heading.toLowerCase()).join("; ");
  const size = html`<small>${sizeFrom(drivers[0])}</small>`;
  const label =
    drivers.length === 1
      ? html`${drivers[0].statement}${size}`
      : html`${text("page.drivers.small", { count: drivers.length })}<small>${labels}</small>`;
  return html`<li class="quiet"><span>${label}</span>
    ${contributionBar(together, min, max)}<b>${points(together)}</b></li>`;
}
