// A sheet before it is scored: what it was read as, every bad cell with its reason, what to do.
import { capitalized } from "../lib/number_format.js";
import { plural, text, variant } from "../lib/texts.js";
import { html, nothing } from "../vendor/lit-html.js";
import { cellFixes, changeList } from "./cell_fixes.js";
import { filesName, partsList, unmatchedRows } from "./joined_files.js";
import { columnTable } from "./sheet_columns.js";
import { columnQuestions, constantInputs } from "./sheet_questions.js";
import { rowPreview } from "./sheet_rows.js";
import { rowsLeftOut, rowsWithLostCells } from "./sheet_upload.js";
import { wordQuestions } from "./word_questions.js";

/** A button that chooses files. */
export function fileChooser(team, actions, words) {
  const choose = (event) => {
    actions.chooseFiles([...event.target.files]);
    event.target.value = "";
  };
  return html`<label class="btn filebtn ${team.sheet ? "" : "btn--main"}">
    <input type="file" class="vh" id="file" accept=".csv,.tsv,.txt,.xlsx,.ods" multiple
      @change=${choose}>${team.isReading ? text("page.sheet.reading") : words}</label>`;
}

export function sheetCard(state, actions) {
  const { team } = state;
  const { sheet } = team;
  const left = rowsLeftOut(sheet, team.athletes);
  const toMend = [...left, ...rowsWithLostCells(sheet, left)].sort((a, b) => a.line - b.line);
  return html`<section class="card sheetcard" id="t-sheet" aria-labelledby="h-sheet"
    aria-busy=${team.isReading ? "true" : "false"}>
    <div class="card__head"><h2 id="h-sheet">${filesName(team.files)}</h2><p>${fileLine(sheet)}</p></div>
    ${partsList(sheet, actions)} ${isJoined(sheet) ? nothing : fileOptions(sheet, actions)}
    ${constantInputs(sheet, actions)} ${unmatchedRows(sheet, state, actions)}
    ${columnQuestions(sheet, state, actions)} ${wordQuestions(sheet, state, actions)}
    ${cellFixes(sheet, toMend, actions)} ${changeList(sheet, actions)}
    ${columnTable(sheet, state, actions)} ${rowPreview(sheet, team, actions)} ${notes(sheet.notes)}
    ${buttons(team, toMend, actions)} ${otherRows(sheet.counts)}
  </section>`;
}

function buttons(team, left, actions) {
  const { ready } = team.sheet.counts;
  const accept = ready ? plural("page.sheet.accept", ready) : text("page.sheet.none_ready");
  const downloadButton = () =>
    html`<button class="btn" type="button" @click=${() => actions.downloadRowsLeftOut(left)}>
      ${plural("page.sheet.download", left.length)}</button>`;
  const back = () =>
    html`<button class="btn" type="button" @click=${() => actions.toggle("isSheetOpen")}>
      ${text("page.sheet.back")}</button>`;
  return html`<div class="acts">
    <button class="btn btn--main" type="button" ?disabled=${!ready || team.isBusy}
      @click=${actions.scoreSheet}>${accept}</button>
    ${left.length ? downloadButton() : nothing}
    ${fileChooser(team, actions, text("page.sheet.another_file"))}
    ${team.athletes.length ? back() : nothing}</div>`;
}

// Rows that are neither scored nor bad.
function otherRows({ waiting, earlier, joined }) {
  const sentences = [
    waiting && plural("page.sheet.waiting", waiting),
    earlier && plural("page.sheet.earlier", earlier),
    joined && plural("page.sheet.joined", joined),
  ].filter(Boolean);
  if (!sentences.length) return nothing;
  return html`<p class="small quiet">${sentences.join(" ")}</p>`;
}

// Several files have no one line of names and no one worksheet.
const isJoined = ({ parts }) => new Set(parts.map(({ file }) => file)).size > 1;

function fileLine({ file, parts: joined, counts }) {
  if (joined.length) return capitalized(plural("page.parts.rows", counts.rows));
  const lines = file.header_lines.join(text("page.sheet.header_join"));
  const parts = [
    file.sheet && text("page.sheet.sheet_name", { name: file.sheet }),
    text("page.sheet.header_in", { lines }),
    text("page.sheet.decimal_is", { decimal: file.decimal }),
    plural("page.sheet.rows", counts.rows),
  ];
  return capitalized(parts.filter(Boolean).join(", "));
}

function fileOptions({ file }, actions) {
  const change = (name) => (event) => actions.setFileOption(name, event.target.value);
  const changeLine = (event) =>
    actions.setFileOption("header_line", Number(event.target.value) || 1);
  const decimal = (name) => {
    const words = variant("page.sheet.decimal", name);
    return html`<option value=${name} ?selected=${file.decimal === name}>${words}</option>`;
  };
  return html`<details class="rest"><summary>${text("page.sheet.options")}</summary>
    <div class="filters">
      ${file.sheets?.length > 1 ? sheetMenu(file, change("sheet")) : nothing}
      <label>${text("page.sheet.header_line")}<input type="number" min="1"
        .value=${String(file.header_line)} @change=${changeLine}></label>
      <label>${text("page.sheet.decimals")}<select @change=${change("decimal")}>
        ${["point", "comma"].map(decimal)}</select></label>
    </div></details>`;
}

const sheetMenu = (file, change) =>
  html`<label>${text("page.sheet.sheet")}<select @change=${change}>${file.sheets.map(
    (name) => html`<option ?selected=${name === file.sheet}>${name}</option>`,
  )}</select></label>`;

function notes(found) {
  if (!found.length) return nothing;
  const item = (note) =>
    html`<li><span class="tag">${placeOf(note)}</span> <span>${note.message}</span></li>`;
  return html`<ul class="why" aria-label=${text("page.sheet.done")}>${found.map(item)}</ul>`;
}

function placeOf({ lines, places }) {
  if (lines.length === 1) return text("page.sheet.row", { lines: lines[0] });
  if (lines.length) return text("page.sheet.rows_at", { lines: shortList(lines) });
  if (places.length === 1) return text("page.sheet.column", { places: places[0] });
  if (places.length) return text("page.sheet.columns_at", { places: shortList(places) });
  return text("page.sheet.sheet");
}

const MAX_LISTED = 6;

function shortList(items) {
  if (items.length <= MAX_LISTED) return items.join(", ");
  const shown = items.slice(0, MAX_LISTED - 1);
  return text("page.sheet.and_more", {
    items: shown.join(", "),
    count: items.length - shown.length,
  });
}
