// What moves each risk: points that add up from the usual athlete's risk to this one's.
import { capitalized, points, value, withUnit } from "../lib/number_format.js";
import { text, variant } from "../lib/texts.js";
import { kneeName, sideName, sizeFrom, typicalAthlete } from "../lib/wording.js";
import { html, nothing } from "../vendor/lit-html.js";
import { contributionBar } from "./charts.js";
import { fold, isPhone } from "./folds.js";
import { knownKnees } from "./knee_cards.js";

/** Measures with fewer points than this on every knee are shown together, in 100. */
const SMALL_POINTS = 0.15;

// A phone has no room for the bars beside the numbers.
const bar = (x, min, max) => (isPhone() ? nothing : html`<td>${contributionBar(x, min, max)}</td>`);
const noBar = () => (isPhone() ? html`<td></td>` : html`<td></td><td></td>`);

const sumOf = (drivers) => drivers.reduce((total, driver) => total + driver.points, 0);

/** The fold with the table of drivers; nothing where no number holds. */
export function driversFold(answer, sport) {
  const knees = knownKnees(answer).filter((knee) =>
    answer.drivers.some((driver) => driver.side === knee),
  );
  if (!knees.length) return nothing;
  const title = text("page.drivers.heading");
  const result = knees.map((knee) => sumLine(answer, knee)).join(" · ");
  return fold("a-drivers", title, result, table(answer, knees, sport));
}

const ownDrivers = (answer, knee) => answer.drivers.filter((driver) => driver.side === knee);

function startOf(answer, knee) {
  const risk = answer.risk[knee];
  const added = sumOf(ownDrivers(answer, knee)) / 100;
  return 100 * (risk.typical_probability ?? risk.probability - added);
}

// "Right 7.6 + 2.1 = 9.7": from the usual athlete to this one.
function sumLine(answer, knee) {
  const start = startOf(answer, knee);
  const end = 100 * answer.risk[knee].probability;
  const change = end - start;
  return text("page.drivers.sum", {
    knee: knee === "either" ? kneeName(knee) : sideName(knee),
    start: start.toFixed(1),
    sign: change < 0 ? "−" : "+",
    change: Math.abs(change).toFixed(1),
    end: end.toFixed(1),
  });
}

function table(answer, knees, sport) {
  const all = answer.drivers.map((driver) => driver.points);
  const scale = [Math.min(0, ...all), Math.max(0, ...all)];
  const rows = rowsOf(answer, knees);
  const athlete = capitalized(typicalAthlete(sport));
  const total = (name, number) =>
    html`<tr class="sum"><th scope="row">${name}</th>${knees.map(
      (knee) => html`${noBar()}<td class="r"><b>${number(knee)}</b></td>`,
    )}</tr>`;
  const groups = ["modifiable", "fixed"].map((name) =>
    group(
      name,
      rows.filter((row) => row.isModifiable === (name === "modifiable")),
      knees,
      scale,
    ),
  );
  return html`<p>${text("page.drivers.explanation", { athlete: typicalAthlete(sport) })}</p>
    <table class="tab drv num"><caption class="vh">${text("page.drivers.heading")}</caption>
      <thead><tr><th scope="col">${text("page.drivers.unit")}</th>${knees.map(
        (knee) => html`<th scope="colgroup" colspan=${isPhone() ? 2 : 3}>${kneeName(knee)}</th>`,
      )}</tr></thead>
      <tbody>${total(athlete, (knee) => startOf(answer, knee).toFixed(1))}</tbody>
      ${groups}
      <tfoot>${total(text("page.drivers.this_athlete"), (knee) =>
        (100 * answer.risk[knee].probability).toFixed(1),
      )}</tfoot></table>`;
}

// One row for each measure that moves a risk, the strongest first.
function rowsOf(answer, knees) {
  const byMeasure = new Map();
  for (const driver of answer.drivers.filter(({ side }) => knees.includes(side))) {
    const row = byMeasure.get(driver.measure) ?? { driver, cells: {} };
    row.cells[driver.side] = driver;
    byMeasure.set(driver.measure, row);
  }
  const largest = ({ cells }) =>
    Math.max(...Object.values(cells).map((cell) => Math.abs(cell.points)));
  return [...byMeasure.values()]
    .map((row) => ({ ...row, isModifiable: row.driver.modifiable, largest: largest(row) }))
    .sort((a, b) => b.largest - a.largest);
}

// What was found on the driver's own knee; where there is room, in words before the value.
function readingOf({ heading, value: found, unit, usual }) {
  const isNumber = typeof found === "number";
  const read = found === undefined || !(isNumber || isPhone()) ? "" : withUnit(found, unit);
  const typical = usual === undefined ? "" : text("page.drivers.usual", { usual: value(usual) });
  if (isPhone()) return html`${read}<small>${typical}</small>`;
  return html`${heading}<small>${[read, typical].filter(Boolean).join(", ")}</small>`;
}

function group(name, rows, knees, scale) {
  if (!rows.length) return nothing;
  const sum = (knee) => points(sumOf(rows.map((row) => row.cells[knee]).filter(Boolean)));
  const below = rows.filter((row) => row.largest < SMALL_POINTS);
  const small = below.length > 1 ? below : [];
  const large = rows.filter((row) => !small.includes(row));
  return html`<tbody><tr class="group"><th scope="rowgroup">${variant("page.drivers.group", name)}</th>
    ${knees.map((knee) => html`${noBar()}<td class="r">${sum(knee)}</td>`)}</tr>
    ${large.map((row) => driverRow(row, knees, scale))}
    ${small.length ? smallRow(small, knees, scale) : nothing}</tbody>`;
}

function driverRow({ driver, cells }, knees, scale) {
  const about =
    driver.group === "tests"
      ? text("page.drivers.tests_group")
      : text("page.drivers.which", { group: driver.group, size: sizeFrom(driver) });
  return html`<tr><th scope="row">${driver.label}<small>${about}</small>${untested(cells)}</th>
    ${knees.map((knee) => driverCells(cells[knee], scale))}</tr>`;
}

const untested = (cells) =>
  Object.values(cells).some((cell) => cell.untested)
    ? html`<small>${text("shared.advice.untested")}</small>`
    : nothing;

function driverCells(cell, [min, max]) {
  if (!cell) return html`${noBar()}<td class="r">–</td>`;
  return html`<td>${readingOf(cell)}</td>
    ${bar(cell.points, min, max)}
    <td class="r">${points(cell.points)}</td>`;
}

function smallRow(rows, knees, [min, max]) {
  const labels = rows.map(({ driver }) => driver.label.toLowerCase()).join("; ");
  const sum = (knee) => sumOf(rows.map((row) => row.cells[knee]).filter(Boolean));
  return html`<tr class="quiet"><th scope="row">${text("page.drivers.small", { count: rows.length })}
      <small>${labels}</small></th>
    ${knees.map(
      (knee) =>
        html`<td></td>${bar(sum(knee), min, max)}
        <td class="r">${points(sum(knee))}</td>`,
    )}</tr>`;
}
