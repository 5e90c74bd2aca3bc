// Right against left: which measures differ by more than measurement error.
import { degreeSign, value, withUnit } from "../lib/number_format.js";
import { plural, text, variant } from "../lib/texts.js";
import { html, nothing } from "../vendor/lit-html.js";

export function sideDifferenceCard(answer) {
  const rows = answer.side_differences ?? [];
  if (!rows.length) return nothing;
  const sorted = [...rows].sort((a, b) => ratioToError(b) - ratioToError(a));
  const columns = ["measure", "right", "left", "difference", "reading"];
  return html`<section class="card" id="a-sides" aria-labelledby="h-sides">
    <div class="card__head"><h2 id="h-sides">${text("page.sides.heading")}</h2></div>
    <p class="quiet">${summary(rows)}</p>
    <table class="used num"><caption class="vh">${text("page.sides.caption")}</caption>
      <thead><tr>${columns.map(
        (name) => html`<th scope="col">${variant("page.column", name)}</th>`,
      )}</tr></thead>
      <tbody>${sorted.map(differenceRow)}</tbody></table>
  </section>`;
}

function summary(rows) {
  const beyond = rows.filter((row) => row.beyond_error);
  if (!beyond.length) return text("page.sides.none", { all: rows.length });
  const chance = beyond.filter((row) => !row.beyond_chance).length;
  const sentence = text("page.sides.some", { count: beyond.length, all: rows.length });
  return chance ? `${sentence} ${plural("page.sides.chance", chance)}` : sentence;
}

const ratioToError = (row) => (row.detectable ? Math.abs(row.difference) / row.detectable : 0);

function differenceRow(row) {
  const difference = value(Math.abs(row.difference)) + degreeSign(row.unit);
  const reading = variant("page.sides.reading", row.beyond_error ? "beyond" : "within");
  const threshold = text("page.sides.threshold", { detectable: value(row.detectable) });
  const mayBeChance = row.beyond_error && !row.beyond_chance;
  return html`<tr>
    <th scope="row">${row.label}</th>
    <td data-l=${text("shared.side_title.right")}>${withUnit(row.right, row.unit)}</td>
    <td data-l=${text("shared.side_title.left")}>${withUnit(row.left, row.unit)}</td>
    <td data-l=${text("page.column.difference")}>${difference}</td>
    <td>${row.beyond_error ? html`<b>${reading}</b>` : reading}<small>${threshold}${
      mayBeChance ? `; ${text("page.sides.may_be_chance")}` : ""
    }</small></td></tr>`;
}
