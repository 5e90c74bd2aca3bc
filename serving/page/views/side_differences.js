// Right against left: which measures differ by more than measurement error.
import { degreeSign, inSentence, short, value, withUnit } from "../lib/number_format.js";
import { plural, text, variant } from "../lib/texts.js";
import { html, nothing } from "../vendor/lit-html.js";
import { fold } from "./folds.js";

/** The fold with the measures of both legs; nothing where none was taken on both. */
export function sidesFold(answer) {
  const rows = answer.side_differences ?? [];
  if (!rows.length) return nothing;
  const sorted = [...rows].sort((a, b) => ratioToError(b) - ratioToError(a));
  const columns = ["measure", "right", "left", "difference", "reading"];
  const body = html`<p>${summary(rows)}</p>
    <table class="tab sides num"><caption class="vh">${text("page.sides.caption")}</caption>
      <thead><tr>${columns.map(
        (name) => html`<th scope="col">${variant("page.column", name)}</th>`,
      )}</tr></thead>
      <tbody>${sorted.map(differenceRow)}</tbody></table>`;
  return fold("a-sides", text("page.sides.heading"), result(sorted), body);
}

// "6 tests on both legs · 1 differs beyond error: ankle bend, right 5° less".
function result(sorted) {
  const all = plural("page.sides.both_legs", sorted.length);
  const beyond = sorted.filter((row) => row.beyond_error);
  if (!beyond.length) return text("page.sides.result_none", { all });
  const [first] = beyond;
  const side = first.right < first.left ? "right" : "left";
  const which = text("page.sides.less", {
    label: inSentence(short(first.label)),
    side: variant("page.side_inline", side),
    size: withUnit(Math.abs(first.difference), first.unit),
  });
  return plural("page.sides.result", beyond.length, { all, which });
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
