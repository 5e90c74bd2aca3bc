// Every value that the answer used, and what it did to the risk.
import { points, value, withUnit } from "../lib/number_format.js";
import { text, variant } from "../lib/texts.js";
import { sideName } from "../lib/wording.js";
import { html, nothing } from "../vendor/lit-html.js";

export function inputsTable(answer, labels) {
  const { inputs, risk } = answer;
  const count = (status) => inputs.filter((input) => input.status === status).length;
  const rows = inputs.filter((input) => input.value !== undefined && input.status !== "missing");
  const missing = inputs.filter((input) => input.status === "missing");
  const knees = risk.either && !risk.left && !risk.right ? ["either"] : ["right", "left"];
  const counts = text("page.inputs.counts", {
    used: count("used"),
    missing: missing.length,
    outside: count("out_of_range"),
  });
  return html`<section class="card" id="a-used" aria-labelledby="h-used"><details class="rest">
    <summary><h2 id="h-used">${text("page.inputs.heading")}</h2>
      <span class="quiet small num">${counts}</span></summary>
    <div class="scroll" tabindex="0" role="region" aria-label=${text("page.inputs.region")}>
      <table class="used num"><caption class="vh">${text("page.inputs.caption")}</caption>
        ${header(knees)}
        <tbody>${rows.map((input) => inputRow(input, knees, labels))}</tbody></table></div>
    ${missing.length ? missingLine(missing, labels) : nothing}
  </details></section>`;
}

const header = (knees) =>
  html`<thead><tr>
    <th scope="col">${text("page.column.measure")}</th>
    <th scope="col">${text("page.column.value")}</th>
    <th scope="col">${text("page.column.typical")}</th>
    ${knees.map(
      (knee) => html`<th scope="col">${text("page.inputs.points", { knee: sideName(knee) })}</th>`,
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
    ${knees.map((knee) => html`<td>${effect(knee)}</td>`)}</tr>`;
}

function missingLine(missing, labels) {
  const withoutSide = (label) => label.replace(/, (right|left)$/, "");
  const names = missing.map(({ column }) => withoutSide(labels[column] ?? column));
  const sentence = text("page.inputs.missing_names", { names: [...new Set(names)].join("; ") });
  return html`<p class="small quiet"><b>${text("page.inputs.missing")}</b> ${sentence}</p>`;
}
