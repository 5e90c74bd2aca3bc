// What the columns of a sheet mean: what is asked about them, and how each is corrected.
import { html, nothing } from "../vendor/lit-html.js";
import { choice, unit } from "../words.js";
import { many, sentence } from "./words.js";

/** Meanings that are no measure. */
const OTHER = {
  athlete_id: "Athlete", screening_date: "Date of the visit", side: "Which leg", red_flags: "Red flags",
};

// What a measure of the schema's unit is often written in; the third says that it is still to be
// divided by body mass.
const WRITTEN_IN = {
  kg: [["kg"], ["lb"]], cm: [["cm"], ["mm"], ["inch"], ["m"]], mm: [["mm"], ["cm"], ["inch"]], km: [["km"], ["mile"]],
  "% BW": [["% BW"], ["N", true], ["kgf", true], ["lbf", true]], "Nm/kg": [["Nm/kg"], ["Nm", true]],
  "N/kg": [["N/kg"], ["N", true], ["kgf", true]], "m/s": [["m/s"], ["km/h"]], ms: [["ms"], ["s"]], deg: [["deg"], ["rad"]],
};

export const meaning = (column) => {
  if (!column.means) return "left out";
  const label = OTHER[column.means] ?? column.label ?? column.means;
  return column.side ? `${label}, ${column.side}` : label;
};

const unitWords = (name, divided) => `${unit(name) || name}${divided ? ", to be divided by body mass" : ""}`;

/** From the sheet's unit to the schema's, where they differ. */
export const conversion = (column) =>
  column.from_unit && (column.from_unit !== column.unit || column.per_body_mass)
    ? `${unit(column.from_unit) || column.from_unit} to ${unit(column.unit) || column.unit}` : "";

// -- questions -------------------------------------------------------------------------------

/** What has to be answered before rows can be used. Nothing is taken for granted without a press. */
export function questions(sheet, state, act) {
  const asked = sheet.columns.filter((column) => column.question && !column.applied);
  if (!asked.length) return nothing;
  const yes = asked.filter((column) => column.proposal);
  return html`<section class="qs" aria-labelledby="h-qs"><div class="card__head"><h3 id="h-qs">${many(asked.length, "question")} about the columns</h3>
      ${yes.length > 1 ? html`<button class="btn" type="button" @click=${() => act.columns(Object.fromEntries(yes.map((one) => [one.place, one.proposal])))}>Yes to all ${yes.length} proposals</button>` : nothing}</div>
    <ul>${asked.map((column) => question(column, state, act))}</ul></section>`;
}

function question(column, state, act) {
  const answers = [];
  if (column.proposal) answers.push({ label: `Yes: ${described(column.proposal, column, state)}`, ask: column.proposal, main: true });
  const rest = column.alternatives.map((one) => ({ label: one.label, ask: one.ask }));
  answers.push(...rest.slice(0, 3));
  return html`<li><div><p><b>Column ${column.place}.</b> ${column.question}</p><p class="small quiet">${sentence(column.why)}.</p></div>
    <div class="acts">${answers.map(({ label, ask, main }) => html`<button class=${main ? "btn btn--main" : "btn"} type="button" @click=${() => act.columns({ [column.place]: ask })}>${label}</button>`)}
      ${rest.length > 3 ? html`<label class="vh" for=${`q-${column.place}`}>Another answer for ${named(column)}</label><select id=${`q-${column.place}`} @change=${(e) => act.columns({ [column.place]: rest[Number(e.target.value)].ask })}>
        <option value="" selected disabled>Something else</option>${rest.slice(3).map((one, i) => html`<option value=${i + 3}>${one.label}</option>`)}</select>` : nothing}
      ${column.proposal && leavesOut(column.proposal) ? nothing : html`<button class="btn" type="button" @click=${() => act.columns({ [column.place]: { means: null } })}>Leave the column out</button>`}</div></li>`;
}

const named = (column) => `Column ${column.place}, “${column.column}”:`;

const leavesOut = (ask) => ask.means === null;

function described(ask, column, state) {
  if (leavesOut(ask)) return "leave it out";
  const label = ask.means ? label_of(ask.means, state) : meaning(column), parts = [label];
  if (ask.unit) parts.push(`in ${unitWords(ask.unit, ask.per_body_mass)}`);
  if (ask.day_first !== undefined && ask.day_first !== null) parts.push(ask.day_first ? "day first" : "month first");
  if (ask.opposite) parts.push("the other way round");
  return parts.join(", ");
}

const label_of = (means, state) => OTHER[means] ?? state.labels[means] ?? state.labels[`left_${means}`]?.replace(", left", "") ?? means;

// What holds for the whole sheet and stands in none of its columns.
function constant(one, act) {
  const given = (text) => (text === "" || Number.isNaN(Number(text)) ? text : Number(text));
  return html`<label>${one.label}${one.needed ? html` <span class="need">needed</span>` : nothing}
    ${one.choices.length ? html`<select @change=${(e) => act.constant(one.means, e.target.value)}><option value="" ?selected=${one.value === undefined}>${one.needed ? "Choose" : "Not stated"}</option>${one.choices.map((code) => html`<option value=${code} ?selected=${one.value === code}>${choice(code)}</option>`)}</select>`
      : html`<input type="text" inputmode="decimal" .value=${String(one.value ?? "")} @change=${(e) => act.constant(one.means, given(e.target.value.trim()))}>`}
    <span class="small quiet">${one.question}</span></label>`;
}

/** What the sheet does not say of its rows, to be said once for all of them. */
export function constants(sheet, act) {
  if (!sheet.constants.length) return nothing;
  return html`<div class="filters consts" role="group" aria-label="The same for every row">${sheet.constants.map((one) => constant(one, act))}</div>`;
}

// -- all columns -----------------------------------------------------------------------------

/** Every column with what it was taken for; each can be corrected. */
export function columns(sheet, state, act) {
  const used = sheet.columns.filter((one) => one.means).length, legwise = sheet.columns.some((one) => one.means === "side");
  return html`<details class="rest cols"><summary>${many(used, "column")} recognised${used < sheet.columns.length ? `, ${sheet.columns.length - used} left out` : ""}: see and correct</summary>
    <div class="scroll" role="region" tabindex="0" aria-label="Columns, scrolls sideways"><table class="cells cols__t"><caption class="vh">Columns of the sheet and what they were taken for</caption>
      <thead><tr><th scope="col">Column</th><th scope="col">Means</th><th scope="col">Written in</th><th scope="col">How it was told</th></tr></thead>
      <tbody>${sheet.columns.map((column) => html`<tr><th scope="row">${column.place}<span>${column.column || "no name"}</span></th>
        <td>${means(column, legwise, state, act)}</td><td>${written(column, act)}</td>
        <td class="why1">${sentence(column.why)}${words(column)}</td></tr>`)}</tbody></table></div>
  </details>`;
}

function means(column, legwise, state, act) {
  const groups = state.stations.map((station) => [station.title, [...new Set(station.rows.flatMap((row) =>
    (legwise && row.fields.length > 1 ? [row.name] : row.fields.map((field) => field.column))))]]);
  const now = column.means ?? "";
  return html`<select aria-label=${`${named(column)} means`} @change=${(e) => act.columns({ [column.place]: { means: e.target.value || null } })}>
    <option value="" ?selected=${!now}>Leave it out</option>
    ${Object.entries(OTHER).map(([code, label]) => html`<option value=${code} ?selected=${now === code}>${label}</option>`)}
    ${groups.map(([title, codes]) => html`<optgroup label=${title}>${codes.map((code) => html`<option value=${code} ?selected=${now === code}>${label_of(code, state)}</option>`)}</optgroup>`)}</select>`;
}

function written(column, act) {
  const known = WRITTEN_IN[column.unit];
  if (!known) return column.unit ? unit(column.unit) : "";
  const now = column.from_unit ?? column.unit, list = known.some(([name]) => name === now) ? known : [[now, column.per_body_mass], ...known];
  return html`<select aria-label=${`${named(column)} is written in`} @change=${(e) => {
    const [name, divided] = list[Number(e.target.value)];
    act.columns({ [column.place]: { means: column.means, unit: name, per_body_mass: Boolean(divided) } });
  }}>${list.map(([name, divided], i) => html`<option value=${i} ?selected=${name === now && Boolean(divided) === column.per_body_mass}>${unitWords(name, divided)}</option>`)}</select>`;
}

const words = (column) => (column.words?.length
  ? html`<span class="words">${column.words.map((one) => `${one.word} → ${one.means ? choice(one.means) : "not used"}`).join("; ")}</span>` : nothing);

