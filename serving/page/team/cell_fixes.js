// What can't be used of a sheet, cell by cell: each can be put right here or left out, and each
// change is listed and can be undone. The file itself stays as it is.
import { plural, text } from "../lib/texts.js";
import { numberWithUnit } from "../lib/number_format.js";
import { html, nothing } from "../vendor/lit-html.js";
import { changedCells } from "./sheet_upload.js";

/** So many rows are explained; the others stand in the download. */
const MAX_EXPLAINED = 40;
/** Without these nothing can be answered, so that leaving them out helps nobody. */
const NEEDED = ["age_years", "sex"];

export function cellFixes(sheet, left, actions) {
  // A word that is not known is asked about once, with the other words.
  const isHere = ({ code }) => code !== "unknown_word";
  const explained = left
    .filter((row) => row.status !== "waiting" || row.reasons.length)
    .map((row) => ({ ...row, explanations: row.explanations.filter(isHere) }))
    .filter(({ explanations }) => explanations.length);
  if (!explained.length) return nothing;
  const count = explained.length - MAX_EXPLAINED;
  const more = html`<li>${text("page.sheet.more_in_download", { count })}</li>`;
  const shown = explained.slice(0, MAX_EXPLAINED);
  return html`<section class="fixes" aria-labelledby="h-fixes">
    <div class="card__head"><h3 id="h-fixes">${plural("page.fix.heading", explained.length)}</h3>
      ${leaveAllOut(sheet, actions)}</div>
    <ul aria-label=${text("page.sheet.why")}>
      ${shown.flatMap((row) => row.explanations.map((one) => item(sheet, row, one, actions)))}
      ${count > 0 ? more : nothing}</ul></section>`;
}

const columnAt = (sheet, place) => sheet.columns.find((column) => column.place === place);
const canBeLeftOut = (column) => column && !NEEDED.includes(column.means);

// Every cell that can't be used and need not be, at once.
function leaveAllOut(sheet, actions) {
  const bad = sheet.rows.flatMap(({ line, cells }) =>
    cells
      .filter(({ place, status }) => status === "bad" && canBeLeftOut(columnAt(sheet, place)))
      .map(({ place }) => `${place}${line}`),
  );
  if (bad.length < 2) return nothing;
  const leave = () => actions.setCells(Object.fromEntries(bad.map((name) => [name, ""])));
  return html`<button class="btn" type="button" @click=${leave}>
    ${text("page.fix.leave_all", { count: bad.length })}</button>`;
}

function item(sheet, row, { words, place, shown, proposal }, actions) {
  // Where the whole row is at fault, another name for the athlete may mend it.
  const named = sheet.columns.find(({ means }) => means === "athlete_id");
  const isOfRow = !place && row.reasons.length > 0;
  const column = place ? columnAt(sheet, place) : isOfRow ? named : null;
  return html`<li><p><span class="tag tag--flag">${text("page.sheet.row", { lines: row.line })}</span>
      <span>${words}</span></p>
    ${column ? mend(row, column, { isOfRow, shown, proposal }, actions) : nothing}</li>`;
}

function mend(row, column, { isOfRow, shown, proposal }, actions) {
  const name = `${column.place}${row.line}`;
  const written = isOfRow ? (row.athlete ?? "") : shown;
  const put = (event) => {
    event.preventDefault();
    actions.setCells({ [name]: new FormData(event.target).get("cell").trim() });
  };
  const label = text("page.fix.cell", { column: column.column || column.place, line: row.line });
  return html`<form class="mend" @submit=${put}>
    ${proposal ? proposalButton(name, proposal, actions) : nothing}
    <input name="cell" type="text" autocomplete="off" aria-label=${label} .value=${written} />
    <button class="btn" type="submit">${text("page.fix.put")}</button>
    ${isOfRow || !canBeLeftOut(column) ? nothing : leaveOut(name, actions)}</form>`;
}

const proposalButton = (name, { value, unit, message }, actions) =>
  html`<button class="btn btn--main" type="button" title=${message}
    @click=${() => actions.setCells({ [name]: value })}>
    ${text("page.fix.take", { value: numberWithUnit(value, unit) })}</button>`;

const leaveOut = (name, actions) =>
  html`<button class="btn" type="button" @click=${() => actions.setCells({ [name]: "" })}>
    ${text("page.fix.leave_out")}</button>`;

/** What was changed, each with the way back. */
export function changeList(sheet, actions) {
  const changed = changedCells(sheet);
  if (!changed.length) return nothing;
  const line = (one) =>
    html`<li><span class="tag">${text("page.sheet.row", { lines: one.line })}</span>
      <span>${changeInWords(one)}</span>
      <button class="btn" type="button"
        @click=${() => actions.setCells({ [`${one.place}${one.line}`]: null })}>
        ${text("page.fix.undo")}</button></li>`;
  return html`<section class="changed" aria-labelledby="h-changed">
    <h3 id="h-changed">${plural("page.fix.changed", changed.length)}</h3>
    <ul>${changed.map(line)}</ul></section>`;
}

/** One change: "Lunge R: “138” left out". */
export const changeInWords = ({ column, was, now }) =>
  now === ""
    ? text("page.fix.left_out", { column, was })
    : text("page.fix.put_for", { column, was: was || text("page.rows.empty"), now });
