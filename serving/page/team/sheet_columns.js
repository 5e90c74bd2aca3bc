// What the columns of a sheet mean, and how each is corrected.
import { capitalized, choice, unit } from "../lib/number_format.js";
import { plural, text, variant } from "../lib/texts.js";
import { html, nothing } from "../vendor/lit-html.js";
import { sidedLabel } from "../lib/form_fields.js";

/** Meanings that are no measure. */
const OTHER_MEANINGS = ["athlete_id", "screening_date", "side", "red_flags"];
export const otherMeaning = (code) => variant("page.columns.other", code);

// What a measure of the schema's unit is often written in; the second of a pair says that it is
// still to be divided by body mass.
const WRITTEN_UNITS = {
  kg: [["kg"], ["lb"]],
  cm: [["cm"], ["mm"], ["inch"], ["m"]],
  mm: [["mm"], ["cm"], ["inch"]],
  km: [["km"], ["mile"]],
  "% BW": [["% BW"], ["N", true], ["kgf", true], ["lbf", true]],
  "Nm/kg": [["Nm/kg"], ["Nm", true]],
  "N/kg": [["N/kg"], ["N", true], ["kgf", true]],
  "m/s": [["m/s"], ["km/h"]],
  ms: [["ms"], ["s"]],
  deg: [["deg"], ["rad"]],
};

/** What a column was taken for, in words. */
export function columnMeaning(column) {
  if (!column.means) return text("page.columns.left_out");
  const label = otherMeaning(column.means) ?? column.label ?? column.means;
  return column.side ? sidedLabel(label, column.side) : label;
}

export const columnName = (column) =>
  text("page.columns.name", { place: column.place, name: column.column });

const unitName = (name) => unit(name) || name;

export const unitWords = (name, isPerBodyMass) =>
  isPerBodyMass ? text("page.columns.divided", { unit: unitName(name) }) : unitName(name);

/** From the sheet's unit to the schema's, where they differ. */
export function conversion({ from_unit: from, unit: to, per_body_mass: isPerBodyMass }) {
  if (!from || (from === to && !isPerBodyMass)) return "";
  return text("page.columns.conversion", { from: unitName(from), to: unitName(to) });
}

/** The label of a measure, with or without a side. */
export const measureLabel = (code, { labels }) =>
  otherMeaning(code) ??
  labels[code] ??
  labels[`left_${code.replace(/^both_/, "")}`]?.replace(", left", bothLegs(code)) ??
  code;

const bothLegs = (code) =>
  code.startsWith("both_") ? `, ${variant("page.side_inline", "both")}` : "";

/** Every column with what it was taken for; each can be corrected. */
export function columnTable(sheet, state, actions) {
  const { columns } = sheet;
  const used = columns.filter((column) => column.means).length;
  const isByLeg = columns.some((column) => column.means === "side");
  const rest = columns.length - used;
  const recognised = plural("page.columns.recognised", used);
  const summary = rest
    ? text("page.columns.summary_rest", { recognised, rest })
    : text("page.columns.summary", { recognised });
  const isOpen = state.team.areColumnsShown;
  const toggle = ({ target }) => target.open !== isOpen && actions.toggle("areColumnsShown");
  // A menu of all measures for each column: some ten times the rest of the page.
  return html`<details class="rest cols" ?open=${isOpen} @toggle=${toggle}>
    <summary>${summary}</summary>
    ${isOpen ? meaningTable(columns, isByLeg, state, actions) : nothing}
  </details>`;
}

function meaningTable(columns, isByLeg, state, actions) {
  const heads = ["column", "means", "unit", "why"];
  return html`<div class="scroll" role="region" tabindex="0" aria-label=${text("page.columns.region")}>
      <table class="cells cols__t"><caption class="vh">${text("page.columns.caption")}</caption>
        <thead><tr>${heads.map(
          (name) => html`<th scope="col">${variant("page.columns.head", name)}</th>`,
        )}</tr></thead>
        <tbody>${columns.map((column) => columnRow(column, isByLeg, state, actions))}</tbody>
      </table></div>`;
}

const columnRow = (column, isByLeg, state, actions) =>
  html`<tr><th scope="row">${column.place}<span>${
    column.column || text("page.columns.no_name")
  }</span></th>
    <td>${meaningMenu(column, isByLeg, state, actions)}</td><td>${unitMenu(column, actions)}</td>
    <td class="why1">${capitalized(column.why)}${wordMeanings(column)}</td></tr>`;

function meaningMenu(column, isByLeg, state, actions) {
  const current = column.means ?? "";
  const label = text("page.columns.means_label", { column: columnName(column) });
  const change = (event) =>
    actions.setColumns({ [column.place]: { means: event.target.value || null } });
  const option = (code) =>
    html`<option value=${code} ?selected=${current === code}>${measureLabel(code, state)}</option>`;
  const stationGroup = (station) =>
    html`<optgroup label=${station.title}>
      ${measuresOf(station, isByLeg).map(option)}</optgroup>`;
  return html`<select aria-label=${label} @change=${change}>
    <option value="" ?selected=${!current}>${text("page.columns.leave_out")}</option>
    ${OTHER_MEANINGS.map(option)}
    ${state.stations.map(stationGroup)}</select>`;
}

// A sheet with one row for each leg names a measure without its side.
const measuresOf = (station, isByLeg) => [
  ...new Set(
    station.rows.flatMap((row) =>
      isByLeg && row.fields.length > 1 ? [row.name] : row.fields.map(({ column }) => column),
    ),
  ),
];

function unitMenu(column, actions) {
  const known = WRITTEN_UNITS[column.unit];
  if (!known) return column.unit ? unit(column.unit) : "";
  const current = column.from_unit ?? column.unit;
  const isKnown = known.some(([name]) => name === current);
  const units = isKnown ? known : [[current, column.per_body_mass], ...known];
  const change = (event) => {
    const [name, isPerBodyMass] = units[Number(event.target.value)];
    const meaning = { means: column.means, unit: name, per_body_mass: Boolean(isPerBodyMass) };
    actions.setColumns({ [column.place]: meaning });
  };
  const isCurrent = ([name, isPerBodyMass]) =>
    name === current && Boolean(isPerBodyMass) === column.per_body_mass;
  const label = text("page.columns.unit_label", { column: columnName(column) });
  return html`<select aria-label=${label} @change=${change}>${units.map(
    (entry, i) =>
      html`<option value=${i} ?selected=${isCurrent(entry)}>${unitWords(...entry)}</option>`,
  )}</select>`;
}

// Words in the cells of a column, and what each was taken for.
function wordMeanings({ words }) {
  if (!words?.length) return nothing;
  const meaning = ({ word, means }) =>
    `${word} → ${means ? choice(means) : text("page.columns.word_not_used")}`;
  return html`<span class="words">${words.map(meaning).join("; ")}</span>`;
}
