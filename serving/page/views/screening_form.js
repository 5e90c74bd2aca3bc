// The screening form: stations as the coach walks, right before left.
import { EQUIPMENT_SETS } from "../lib/equipment.js";
import { currentLog } from "../lib/state.js";
import { text, variant } from "../lib/texts.js";
import { html, nothing } from "../vendor/lit-html.js";
import { formRows } from "./form_rows.js";
import { flagState, redFlagQuestions } from "./red_flag_questions.js";
import { trainingLog } from "./training_log.js";

export function screeningForm(state, actions) {
  const { stations, draft } = state;
  // Age and sex come first; the questions that may end it, before anything is measured.
  const [first, rest] = [stations.slice(0, 1), stations.slice(1)];
  const heading = text("page.form.heading");
  const title = draft.name ? text("page.titled", { title: heading, name: draft.name }) : heading;
  return html`<section class="view" aria-labelledby="h-screen">
    <div class="head"><div><h1 id="h-screen" tabindex="-1">${title}</h1>
      <p>${text("page.form.kept_here")}</p></div>
      <div class="acts">
        <button class="btn" type="button" @click=${actions.fillExample}>
          ${text("page.form.example")}</button>
        <button class="btn" type="button" @click=${actions.clearForm}>
          ${text("page.form.new")}</button></div></div>
    ${state.emptiedDraft ? emptiedLine(actions) : nothing} ${stationLinks(state)}
    <form class="screen" novalidate autocomplete="off" @submit=${(event) => event.preventDefault()}
      @keydown=${focusNextOnEnter}>
      <div>
        ${identityCard(draft, actions)} ${first.map((station) => stationCard(station, state, actions))}
        ${redFlagQuestions(draft, state.texts, actions)}
        ${rest.map((station) => stationCard(station, state, actions))}
        ${storageCard(state, actions)}
      </div>
      ${state.liveAnswer}
    </form>
  </section>`;
}

const emptiedLine = (actions) =>
  html`<div class="flags flags--state" role="status"><p>${text("page.form.emptied")}</p>
    <button class="btn" type="button" @click=${actions.undoClear}>
      ${text("page.form.undo")}</button></div>`;

function stationLinks({ stations, draft, faults }) {
  const link = (key, title, progress, isBad) =>
    html`<a href=${`#st-${key}`} class=${isBad ? "is-bad" : ""}>${title} <b>${progress}</b></a>`;
  const flags = text("page.form.red_flags");
  return html`<nav class="walk" aria-label=${text("page.form.stations")}>
    ${stations.map((station, i) => {
      const { isBad, words } = stationProgress(station, draft, faults);
      const own = link(station.key, station.title, words, isBad);
      return i ? own : [own, link("flags", flags, flagState(draft), draft.flags.length > 0)];
    })}
  </nav>`;
}

/** How much of a station is filled in. */
function stationProgress(station, draft, faults) {
  const fields = station.rows.flatMap((row) => row.fields);
  const count = fields.filter(({ path }) => faults[path] && !faults[path].waits).length;
  if (count) return { isBad: true, words: text("page.form.to_fix", { count }) };
  if (fields.some(({ path }) => faults[path]?.waits)) {
    return { isBad: true, words: text("page.form.protocol_missing") };
  }
  const rows = station.rows.filter((row) => row.known && !row.isProtocol).filter(isAtHand(draft));
  const isFilled = ({ path }) => (draft.values[path] ?? "").trim();
  const done = rows.filter((row) => row.fields.some(isFilled)).length;
  const words = done
    ? text("page.form.done", { done, all: rows.length })
    : text("page.form.not_done");
  return { isBad: false, words };
}

// Enter goes to the next field, as the walk does; the keyboard of a phone says "next".
function focusNextOnEnter(event) {
  if (event.key !== "Enter" || !event.target.matches("input[type=text]")) return;
  event.preventDefault();
  const inputs = [...event.currentTarget.querySelectorAll("input[type=text], select")];
  const visible = inputs.filter((input) => input.offsetParent);
  visible[visible.indexOf(event.target) + 1]?.focus();
}

function identityCard(draft, actions) {
  const change = (name) => (event) => actions.setDraft(name, event.target.value);
  return html`<fieldset class="card station"><legend>${text("page.form.who.heading")}</legend>
    <p class="station__note">${text("page.form.who.note")}</p>
    <div class="facts facts--who">
      <div class="fact"><label for="who">${text("page.form.who.name")}</label>
        <div class="cell"><input id="who" type="text" class="is-text" enterkeyhint="next"
          .value=${draft.name} @input=${change("name")}></div></div>
      <div class="fact"><label for="when">${text("page.columns.other.screening_date")}</label>
        <div class="cell"><input id="when" type="date" class="is-text"
          .value=${draft.date} @input=${change("date")}></div></div>
      <div class="fact"><label for="at-hand">${text("page.squad.at_hand")}</label>
        ${equipmentMenu(draft, actions)}</div>
    </div></fieldset>`;
}

const sameSet = (a, b) => JSON.stringify(a) === JSON.stringify(b);

// The form asks for what can be measured with what is at hand, and for nothing else.
function equipmentMenu(draft, actions) {
  const names = ["all", "club", "tape"];
  const current = names.find((name) => sameSet(EQUIPMENT_SETS[name], draft.equipment)) ?? "tape";
  const change = (event) => actions.setDraft("equipment", EQUIPMENT_SETS[event.target.value]);
  return html`<select id="at-hand" @change=${change}>${names.map(
    (name) =>
      html`<option value=${name} ?selected=${name === current}>
        ${variant("page.squad.equipment", name)}</option>`,
  )}</select>`;
}

// What was typed stays in sight, whatever is at hand.
const isAtHand =
  ({ equipment, values }) =>
  (row) =>
    !equipment ||
    row.measure.equipment === "none" ||
    equipment.includes(row.measure.equipment) ||
    row.fields.some(({ path }) => values[path]);

function stationCard(station, state, actions) {
  const { key, title, note } = station;
  const possible = station.rows.filter(isAtHand(state.draft));
  const isNothing = possible.every((row) => row.isProtocol);
  if (isNothing) return nothing;
  const known = possible.filter((row) => row.known);
  const log = key === "log" ? trainingLog(currentLog(), actions) : nothing;
  const content = html`${log}${formRows(known, state, actions)}
    ${unknownRows(possible, state, actions)}`;
  if (key !== "lab") {
    return html`<fieldset class="card station" id=${`st-${key}`} tabindex="-1">
      <legend>${title}</legend>
      <p class="station__note">${note}</p>${content}</fieldset>`;
  }
  const isFilled = station.rows.some((row) =>
    row.fields.some(({ path }) => state.draft.values[path]),
  );
  return html`<details class="card station station--lab" id="st-lab" tabindex="-1"
    ?open=${isFilled}>
    <summary><h2>${title}</h2><p class="station__note">${note}</p></summary>${content}</details>`;
}

function unknownRows(possible, state, actions) {
  const rows = possible.filter((row) => !row.known);
  if (!rows.length) return nothing;
  return html`<details class="rest">
    <summary>${text("page.form.unused", { count: rows.length })}</summary>
    ${formRows(rows, state, actions)}</details>`;
}

function storageCard(state, actions) {
  const message = html`<p class="small" role="status">${state.forgetMessage}</p>`;
  return html`<section class="card" aria-labelledby="h-keep">
    <h2 id="h-keep">${text("page.storage.heading")}</h2>
    <p class="quiet">${text("page.storage.explanation")}</p>
    <div class="acts"><button class="btn" type="button" @click=${actions.forgetAll}>
      ${text("page.storage.forget")}</button></div>
    ${state.forgetMessage ? message : nothing}</section>`;
}
