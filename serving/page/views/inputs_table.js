// Every value that the answer used, and what it did to the risk; and the tests that were not done.
import { fixed, points, value, withUnit } from "../lib/number_format.js";
import { plural, text, variant } from "../lib/texts.js";
import { equipmentName, sideName } from "../lib/wording.js";
import { html, nothing } from "../vendor/lit-html.js";
import { fold } from "./folds.js";
import { knownKnees } from "./knee_cards.js";
import { gain, worthwhile } from "./next_tests.js";

const MAX_TESTS = 4;

/** The fold with what was entered. */
export function inputsFold(answer, labels) {
  const { inputs } = answer;
  const count = (status) => inputs.filter((input) => input.status === status).length;
  const rows = rightFirst(
    inputs.filter((input) => input.value !== undefined && input.status !== "missing"),
  );
  const missing = inputs.filter((input) => input.status === "missing");
  const counts = [
    plural("page.inputs.used", count("used")),
    count("out_of_range") && text("page.inputs.outside", { count: count("out_of_range") }),
    plural("page.inputs.not_done", missing.length),
  ];
  const knees = knownKnees(answer);
  const body = html`<div class="scroll" tabindex="0" role="region"
      aria-label=${text("page.inputs.region")}>
      <table class="tab num"><caption class="vh">${text("page.inputs.caption")}</caption>
        ${header(knees)}
        <tbody>${rows.map((input) => inputRow(input, knees, labels))}</tbody></table></div>
    ${missing.length ? missingLine(missing, labels) : nothing} ${otherTests(answer)}`;
  return fold("a-used", text("page.inputs.heading"), counts.filter(Boolean).join(" · "), body);
}

// The right leg's value of a measure before the left's, each where the first of them stands.
function rightFirst(rows) {
  const name = ({ column }) => column.replace(/^(right|left)_/, "");
  const place = new Map();
  for (const row of rows) if (!place.has(name(row))) place.set(name(row), place.size);
  const rank = (row) => 2 * place.get(name(row)) + (row.column.startsWith("left_") ? 1 : 0);
  return [...rows].sort((a, b) => rank(a) - rank(b));
}

const header = (knees) =>
  html`<thead><tr>
    <th scope="col">${text("page.column.measure")}</th>
    <th scope="col">${text("page.column.value")}</th>
    <th scope="col">${text("page.column.typical")}</th>
    ${knees.map(
      (knee) =>
        html`<th scope="col" class="r">${text("page.inputs.points", { knee: sideName(knee) })}</th>`,
    )}</tr></thead>`;

function inputRow(input, knees, labels) {
  const status = variant("page.inputs.status", input.status) ?? input.status;
  const note = input.status === "used" ? nothing : html`<small>${status}</small>`;
  const typical = input.typical
    ? text("page.mean_and_sd", { mean: value(input.typical.mean), sd: value(input.typical.sd) })
    : "–";
  const effect = (knee) => (input.effect?.[knee] === undefined ? "–" : points(input.effect[knee]));
  return html`<tr><th scope="row">${labels[input.column] ?? input.column}${note}</th>
    <td>${withUnit(input.value, input.unit)}</td><td>${typical}</td>
    ${knees.map((knee) => html`<td class="r">${effect(knee)}</td>`)}</tr>`;
}

function missingLine(missing, labels) {
  const withoutSide = (label) => label.replace(/, (right|left)$/, "");
  const names = missing.map(({ column }) => withoutSide(labels[column] ?? column));
  const sentence = text("page.inputs.missing_names", { names: [...new Set(names)].join("; ") });
  return html`<p class="small quiet"><b>${text("page.inputs.missing")}</b> ${sentence}</p>`;
}

// Of those not done, the ones that tell most, whether or not they are worth the time today.
function otherTests(answer) {
  const tests = answer.next_tests.slice(0, MAX_TESTS);
  if (!tests.length) return nothing;
  const worth = worthwhile(answer);
  const item = (test) =>
    html`<li><b>${test.label}</b>, ${text("page.next_test.minutes_and_needs", {
      minutes: fixed(test.minutes, 0),
      equipment: equipmentName(test.equipment),
    })}: ${gain(test, answer)}${
      worth.includes(test) ? nothing : text("page.next_test.not_worth")
    }</li>`;
  return html`<h3>${text("page.inputs.tests")}</h3><ul class="small num">${tests.map(item)}</ul>`;
}
