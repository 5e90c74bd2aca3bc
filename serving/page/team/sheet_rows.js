// The rows of a sheet: those that need a look, and the first good ones as examples.
import { numberWithUnit } from "../lib/number_format.js";
import { text, variant } from "../lib/texts.js";
import { html, nothing } from "../vendor/lit-html.js";
import { columnMeaning, conversion } from "./sheet_columns.js";

/** So many rows are shown at first, and so many good ones beside those that need a look. */
const SHOWN_ROWS = 40;
const EXAMPLE_ROWS = 3;

const needsLook = ({ status, reasons }) =>
  status === "bad" || status === "waiting" || reasons.length > 0;

function rowsToShow(sheet, showsAll) {
  if (showsAll) return sheet.rows;
  const first = sheet.rows.filter(needsLook).slice(0, SHOWN_ROWS);
  const others = sheet.rows.filter((row) => !first.includes(row) && row.status !== "ignored");
  const examples = others.slice(0, first.length ? EXAMPLE_ROWS : SHOWN_ROWS);
  return [...examples, ...first].sort((a, b) => a.line - b.line);
}

export function rowPreview(sheet, team, actions) {
  const rows = rowsToShow(sheet, team.showsAllRows);
  const columns = sheet.columns.filter((column) => column.filled);
  const isPart = rows.length < sheet.rows.length;
  const caption = isPart ? text("page.rows.caption_some") : text("page.rows.caption_all");
  return html`<div class="scroll" role="region" tabindex="0" aria-label=${text("page.rows.region")}>
      <table class="cells num"><caption class="vh">${caption}</caption>
        <thead><tr>
          <th scope="col">${text("page.rows.row")}</th>${columns.map(columnHead)}</tr></thead>
        <tbody>${rows.map((row) => sheetRow(row, columns))}</tbody></table></div>
    <div class="under"><p class="small quiet">
        <span class="eg bad">!</span> ${text("page.rows.key_bad")}
        <span class="eg fix">=</span> ${text("page.rows.key_converted")}</p>
      ${isPart || team.showsAllRows ? allRowsButton(sheet, team, actions) : nothing}</div>`;
}

function columnHead(column) {
  const units = conversion(column);
  return html`<th scope="col" class=${column.means ? "" : "is-out"}>${
    column.column || column.place
  }<span>${columnMeaning(column)}</span>${units ? html`<span>${units}</span>` : nothing}</th>`;
}

function allRowsButton(sheet, { showsAllRows }, actions) {
  const words = showsAllRows
    ? text("page.rows.only_bad")
    : text("page.rows.show_all", { count: sheet.rows.length });
  return html`<button class="btn" type="button" aria-pressed=${showsAllRows ? "true" : "false"}
    @click=${() => actions.toggle("showsAllRows")}>${words}</button>`;
}

function sheetRow(row, columns) {
  const cells = Object.fromEntries(row.cells.map((cell) => [cell.place, cell]));
  // A reason that is about no cell marks the athlete.
  const isBadAsWhole = row.reasons.length && !row.cells.some(({ status }) => status === "bad");
  const status = variant("page.rows.status", row.status);
  return html`<tr class=${`is-${row.status}`}>
    <th scope="row">${row.line}${status ? html`<span>${status}</span>` : nothing}
      ${row.sources.map((source) => html`<small>${source}</small>`)}</th>
    ${columns.map((column) =>
      cellOf(cells[column.place], isBadAsWhole && column.means === "athlete_id"),
    )}</tr>`;
}

const CELL_CLASS = { asked: "ask", ignored: "out" };

function cellOf(cell, isBadAsWhole) {
  if (!cell) return html`<td></td>`;
  const { shown, status, source } = cell;
  if (status === "bad" || isBadAsWhole) {
    const label = html`<span class="vh">${text("page.rows.not_used")} </span>`;
    const content = shown || text("page.rows.empty");
    return html`<td class="bad" title=${source ?? nothing}><b aria-hidden="true">! </b>${label}${content}</td>`;
  }
  if (status === "converted") {
    const label = html`<span class="vh">${text("page.rows.read_as")} </span>`;
    return html`<td class="fix" title=${source ?? nothing}>${shown}<small>${label}= ${valueOf(cell)}</small></td>`;
  }
  return html`<td class=${CELL_CLASS[status] ?? ""} title=${source ?? nothing}>${shown}</td>`;
}

function valueOf({ value, unit }) {
  if (typeof value === "number") return numberWithUnit(value, unit);
  if (Array.isArray(value)) return value.join(", ");
  return String(value ?? "").replaceAll("_", " ");
}
