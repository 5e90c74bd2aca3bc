// A sheet before it is scored: what it was read as, every bad cell with its reason, what to do.
import { html, nothing } from "../vendor/lit-html.js";
import { unit, value } from "../words.js";
import { columns, constants, conversion, meaning, questions } from "./columns.js";
import { rowsLeftOut } from "./read.js";
import { many } from "./words.js";

/** A button that chooses a file. */
export function chooser(team, act, text) {
  const chosen = (event) => {
    act.take(event.target.files[0]);
    event.target.value = "";
  };
  return html`<label class="btn filebtn ${team.sheet ? "" : "btn--main"}"><input type="file" class="vh" id="file" accept=".csv,.tsv,.txt,.xlsx" @change=${chosen}>${team.reading ? "Reading" : text}</label>`;
}

/** So many rows are shown at first, and so many of them as examples of how a row is read. */
const SHOWN = 40, EXAMPLES = 3;

export function check(state, act) {
  const { team } = state, { sheet } = team, left = rowsLeftOut(sheet, team.athletes);
  if (team.athletes.length && !team.looking) return nothing;
  const { ready } = sheet.counts;
  return html`<section class="card sheetcard" id="t-sheet" aria-labelledby="h-sheet" aria-busy=${team.reading ? "true" : "false"}>
    <div class="card__head"><h2 id="h-sheet">${team.file.name}</h2><p>${howRead(sheet)}</p></div>
    ${fileOptions(sheet, act)}
    ${constants(sheet, act)}
    ${questions(sheet, state, act)}
    ${columns(sheet, state, act)}
    ${preview(sheet, team, act)}
    ${reasons(left.filter((row) => row.status !== "waiting" || row.reasons.length))}
    ${notes(sheet)}
    <div class="acts"><button class="btn btn--main" type="button" ?disabled=${!ready || team.busy} @click=${act.score}>${ready ? `Accept and score ${many(ready, "row")}` : "No row can be scored yet"}</button>
      ${left.length ? html`<button class="btn" type="button" @click=${() => act.saveBadRows(left)}>Download ${many(left.length, "row")} with reasons</button>` : nothing}
      ${chooser(team, act, "Another file")}
      ${team.athletes.length ? html`<button class="btn" type="button" @click=${() => act.toggle("looking")}>Back to the squad</button>` : nothing}</div>
    ${others(sheet.counts)}
  </section>`;
}

// Rows that are neither scored nor bad.
function others({ waiting, earlier, joined }) {
  const parts = [
    waiting && `${many(waiting, "row waits", "rows wait")} for the answers above.`,
    earlier && `${many(earlier, "row is an earlier visit", "rows are earlier visits")} of the same athletes: the newest is scored.`,
    joined && `${many(joined, "row is", "rows are")} the other leg of an athlete.`,
  ].filter(Boolean);
  return parts.length ? html`<p class="small quiet">${parts.join(" ")}</p>` : nothing;
}

function howRead({ file, counts }) {
  const parts = [file.sheet && `Sheet “${file.sheet}”`, `column names in line ${file.header_lines.join(" and ")}`, `decimal ${file.decimal}`, many(counts.rows, "row")];
  const text = parts.filter(Boolean).join(", ");
  return `${text[0].toUpperCase()}${text.slice(1)}`;
}

function fileOptions({ file }, act) {
  return html`<details class="rest"><summary>Read the file in another way</summary><div class="filters">
    ${file.sheets?.length > 1 ? html`<label>Sheet<select @change=${(e) => act.fileOption("sheet", e.target.value)}>${file.sheets.map((name) => html`<option ?selected=${name === file.sheet}>${name}</option>`)}</select></label>` : nothing}
    <label>Column names in line<input type="number" min="1" .value=${String(file.header_line)} @change=${(e) => act.fileOption("header_line", Number(e.target.value) || 1)}></label>
    <label>Decimals<select @change=${(e) => act.fileOption("decimal", e.target.value)}><option value="point" ?selected=${file.decimal === "point"}>Point, 38.5</option><option value="comma" ?selected=${file.decimal === "comma"}>Comma, 38,5</option></select></label>
  </div></details>`;
}

// -- the rows --------------------------------------------------------------------------------

function toShow(sheet, full) {
  if (full) return sheet.rows;
  const look = sheet.rows.filter((row) => row.status === "bad" || row.status === "waiting").slice(0, SHOWN);
  const good = sheet.rows.filter((row) => !look.includes(row) && row.status !== "ignored").slice(0, look.length ? EXAMPLES : SHOWN);
  return [...good, ...look].sort((a, b) => a.line - b.line);
}

function preview(sheet, team, act) {
  const rows = toShow(sheet, team.full), shown = sheet.columns.filter((column) => column.filled);
  const some = rows.length < sheet.rows.length;
  return html`<div class="scroll" role="region" tabindex="0" aria-label="Rows of the sheet, scrolls sideways">
      <table class="cells num"><caption class="vh">${some ? "Rows that need a look, and the first good ones" : "All rows"}; bad cells are marked</caption>
        <thead><tr><th scope="col">Row</th>${shown.map((column) => html`<th scope="col" class=${column.means ? "" : "is-out"}>${column.column || column.place}<span>${meaning(column)}</span>${conversion(column) ? html`<span>${conversion(column)}</span>` : nothing}</th>`)}</tr></thead>
        <tbody>${rows.map((row) => line(row, shown))}</tbody></table></div>
    <div class="under"><p class="small quiet"><span class="eg bad">!</span> not used, see below. <span class="eg fix">=</span> read in another unit or form.</p>
      ${some || team.full ? html`<button class="btn" type="button" aria-pressed=${team.full ? "true" : "false"} @click=${() => act.toggle("full")}>${team.full ? "Only rows that need a look" : `Show all ${sheet.rows.length} rows`}</button>` : nothing}</div>`;
}

const STATE = { bad: "to mend", waiting: "waits", earlier: "earlier visit", joined: "other leg", ignored: "no athlete" };

function line(row, shown) {
  const cells = Object.fromEntries(row.cells.map((cell) => [cell.place, cell]));
  const whole = row.reasons.length && !row.cells.some((cell) => cell.status === "bad");
  return html`<tr class=${`is-${row.status}`}><th scope="row">${row.line}${STATE[row.status] ? html`<span>${STATE[row.status]}</span>` : nothing}</th>
    ${shown.map((column) => cellOf(cells[column.place], whole && column.means === "athlete_id"))}</tr>`;
}

function cellOf(cell, whole) {
  if (!cell) return html`<td></td>`;
  const { shown, status } = cell;
  if (status === "bad" || whole) return html`<td class="bad"><b aria-hidden="true">! </b><span class="vh">Not used: </span>${shown || "empty"}</td>`;
  if (status === "converted") return html`<td class="fix">${shown}<small><span class="vh">read as </span>= ${reading(cell)}</small></td>`;
  return html`<td class=${status === "asked" ? "ask" : status === "ignored" ? "out" : ""}>${shown}</td>`;
}

function reading({ value: x, unit: name }) {
  const text = typeof x === "number" ? value(x) : Array.isArray(x) ? x.join(", ") : String(x ?? "").replaceAll("_", " ");
  const told = typeof x === "number" ? unit(name) : "";
  return `${text}${told === "°" ? "°" : told ? ` ${told}` : ""}`;
}

function reasons(left) {
  if (!left.length) return nothing;
  return html`<ul class="why" aria-label="Why rows can’t be scored">${left.slice(0, SHOWN).flatMap((row) => row.why.map((text) => html`<li><span class="tag tag--flag">Row ${row.line}</span><span>${text}</span></li>`))}
    ${left.length > SHOWN ? html`<li>${left.length - SHOWN} more stand in the download.</li>` : nothing}</ul>`;
}

function notes({ notes: found }) {
  if (!found.length) return nothing;
  const where = ({ lines, places }) => (lines.length ? `Row${lines.length > 1 ? "s" : ""} ${some(lines)}` : places.length ? `Column${places.length > 1 ? "s" : ""} ${some(places)}` : "Sheet");
  return html`<ul class="why" aria-label="What was done with the sheet">${found.map((one) => html`<li><span class="tag">${where(one)}</span><span>${one.message}</span></li>`)}</ul>`;
}

const some = (all) => (all.length > 6 ? `${all.slice(0, 5).join(", ")} and ${all.length - 5} more` : all.join(", "));
