// Files and worksheets that were put together: what each was read as, and what fits nowhere.
import { plural, text, variant } from "../lib/texts.js";
import { html, nothing } from "../vendor/lit-html.js";

/** What a select has while a row stands by itself, and what it sends to keep it so. */
const ALONE = "";
/** So many rows that fit nowhere can be told; the others are counted. */
const MAX_UNMATCHED = 40;

/** The name of what was brought: the file's, or how many there are. */
export const filesName = (files) =>
  files.length === 1 ? files[0].name : plural("page.parts.files", files.length);

/** What each file or worksheet was recognised as; nothing where the file is the table. */
export function partsList(sheet, actions) {
  if (!sheet.parts.length) return nothing;
  const item = ({ file, sheet: worksheet, layout, rows }) =>
    html`<li><b>${[file, worksheet].filter(Boolean).join(", ")}</b>
      <span>${text("page.parts.read_as", { layout, rows: plural("page.sheet.rows", rows) })}</span></li>`;
  return html`<section class="parts" aria-label=${text("page.parts.label")}>
    <ul>${sheet.parts.map(item)}</ul>
    ${sheet.notes.some(({ code }) => code === "nearest_date") ? windowField(sheet, actions) : nothing}
  </section>`;
}

function windowField(sheet, actions) {
  const change = (event) => {
    if (event.target.reportValidity()) actions.setWindow(Number(event.target.value));
  };
  return html`<label class="small">${text("page.parts.window")}
    <input type="number" min="0" max="366" required .value=${String(actions.window())}
      @change=${change}> ${text("page.parts.days")}</label>`;
}

/** Rows that no other file has an athlete or a date for: each says why, and whose it may be. */
export function unmatchedRows(sheet, state, actions) {
  const { unmatched } = sheet;
  const told = Object.keys(state.team.mapping.same_athletes ?? {}).length;
  if (!unmatched.length && !told) return nothing;
  const more = unmatched.length - MAX_UNMATCHED;
  const undo = html`<button class="btn" type="button" @click=${actions.forgetAthletes}>
    ${plural("page.parts.undo", told)}</button>`;
  return html`<section class="qs" aria-labelledby="h-unmatched">
    <div class="card__head"><h3 id="h-unmatched">${plural("page.parts.heading", unmatched.length)}</h3>
      ${told ? undo : nothing}</div>
    <p class="small quiet">${text("page.parts.alone")}</p>
    <ul>${unmatched.slice(0, MAX_UNMATCHED).map((row) => unmatchedRow(row, actions))}
      ${more > 0 ? html`<li>${text("page.parts.more", { count: more })}</li>` : nothing}</ul>
  </section>`;
}

function unmatchedRow({ place, file, lines, athlete, message, candidates }, actions) {
  const id = `u-${place.replace(":", "-")}`;
  const where = text("page.parts.where", { file, line: lines[0] });
  const name = athlete ?? variant("page.rows.status", "ignored");
  const words = html`<b>${name}</b> <span class="small quiet">${where}: ${message}</span>`;
  if (!candidates?.length) return html`<li><p>${words}</p></li>`;
  return html`<li><label for=${id}>${words}</label>
    <select id=${id} @change=${(event) => actions.setAthlete(place, event.target.value)}>
      <option value=${ALONE} selected>${text("page.parts.by_itself")}</option>
      ${candidates.map((one) => html`<option value=${one.place}>${one.athlete}</option>`)}</select></li>`;
}
