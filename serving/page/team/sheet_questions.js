// What has to be answered before rows can be used: nothing is taken for granted without a press.
import { capitalized, choice } from "../lib/number_format.js";
import { plural, text } from "../lib/texts.js";
import { html, nothing } from "../vendor/lit-html.js";
import { columnMeaning, columnName, measureLabel, unitWords } from "./sheet_columns.js";
import { wordLines } from "./word_questions.js";

/** So many alternatives are buttons; the others stand in a menu. */
const MAX_BUTTONS = 3;

export function columnQuestions(sheet, state, actions) {
  const open = sheet.columns.filter((column) => column.question && !column.applied);
  if (!open.length) return nothing;
  const proposed = open.filter((column) => column.proposal);
  return html`<section class="qs" aria-labelledby="h-qs">
    <div class="card__head"><h3 id="h-qs">${plural("page.ask.heading", open.length)}</h3>
      ${proposed.length > 1 ? acceptAllButton(proposed, actions) : nothing}</div>
    <ul>${open.map((column) => question(column, state, actions))}</ul></section>`;
}

function acceptAllButton(columns, actions) {
  const proposals = Object.fromEntries(columns.map(({ place, proposal }) => [place, proposal]));
  return html`<button class="btn" type="button" @click=${() => actions.setColumns(proposals)}>
    ${text("page.ask.yes_to_all", { count: columns.length })}</button>`;
}

function question(column, state, actions) {
  const { place, proposal, alternatives } = column;
  const set = (meaning) => actions.setColumns({ [place]: meaning });
  const yes = () => {
    const words = text("page.ask.yes", { proposal: inWords(proposal, column, state) });
    return answerButton(words, "btn btn--main", () => set(proposal));
  };
  const leaveOut = () =>
    answerButton(text("page.ask.leave_out"), "btn", () => set({ means: null }));
  const buttons = alternatives
    .slice(0, MAX_BUTTONS)
    .map(({ label, ask }) => answerButton(label, "btn", () => set(ask)));
  const rest = alternatives.slice(MAX_BUTTONS);
  // One of the answers may leave it out already, with what it is.
  const isLeftOut = [proposal, ...alternatives.map(({ ask }) => ask)].some(
    (ask) => ask?.means === null,
  );
  return html`<li><div><p><b>${text("page.ask.column", { place })}</b> ${column.question}</p>
      <p class="small quiet">${capitalized(column.why)}.</p></div>
    ${column.asks === "words" ? html`<ul class="words__l">${wordLines(column, state, actions)}</ul>` : nothing}
    ${column.asks === "lever_arm" ? leverArm(column, actions) : nothing}
    <div class="acts">${proposal ? yes() : nothing} ${buttons}
      ${rest.length ? alternativeMenu(column, rest, set) : nothing}
      ${isLeftOut ? nothing : leaveOut()}</div></li>`;
}

// How far from the joint forces were taken: told once for both legs.
function leverArm(column, actions) {
  const id = `lever-${column.place}`;
  const put = (event) => {
    event.preventDefault();
    const centimetres = Number(new FormData(event.target).get("lever").replace(",", "."));
    if (centimetres > 0) actions.setLeverArm(column, centimetres / 100);
  };
  return html`<form class="mend" @submit=${put}>
    <label for=${id}>${text("page.ask.lever_arm")}</label>
    <input id=${id} name="lever" type="text" inputmode="decimal" required autocomplete="off" />
    <button class="btn btn--main" type="submit">${text("page.fix.put")}</button></form>`;
}

const answerButton = (label, kind, answer) =>
  html`<button class=${kind} type="button" @click=${answer}>${label}</button>`;

function alternativeMenu(column, alternatives, set) {
  const id = `q-${column.place}`;
  const label = text("page.ask.another", { column: columnName(column) });
  return html`<label class="vh" for=${id}>${label}</label>
    <select id=${id} @change=${(event) => set(alternatives[Number(event.target.value)].ask)}>
      <option value="" selected disabled>${text("page.ask.something_else")}</option>
      ${alternatives.map((one, i) => html`<option value=${i}>${one.label}</option>`)}</select>`;
}

/** A proposal in words: "Body mass, in lb". */
function inWords(proposal, column, state) {
  if (proposal.means === null) return text("page.ask.proposal.leave_out");
  const { means, unit, per_body_mass: isPerBodyMass, day_first: isDayFirst } = proposal;
  const parts = [means ? measureLabel(means, state) : columnMeaning(column)];
  if (unit) parts.push(text("page.ask.proposal.unit", { unit: unitWords(unit, isPerBodyMass) }));
  if (isDayFirst === true) parts.push(text("page.ask.proposal.day_first"));
  if (isDayFirst === false) parts.push(text("page.ask.proposal.month_first"));
  if (proposal.opposite) parts.push(text("page.ask.proposal.opposite"));
  return parts.join(", ");
}

/** What the sheet does not say of its rows, to be said once for all of them. */
export function constantInputs(sheet, actions) {
  if (!sheet.constants.length) return nothing;
  return html`<div class="filters consts" role="group" aria-label=${text("page.ask.same_for_all")}>
    ${sheet.constants.map((constant) => constantInput(constant, actions))}</div>`;
}

function constantInput(constant, actions) {
  const needed = html` <span class="need">${text("page.form.needed")}</span>`;
  return html`<label>${constant.label}${constant.needed ? needed : nothing}
    ${constant.choices.length ? constantMenu(constant, actions) : constantField(constant, actions)}
    <span class="small quiet">${constant.question}</span></label>`;
}

function constantMenu({ means, value, choices, needed }, actions) {
  const empty = needed ? text("page.form.choose") : text("page.choice.unspecified");
  return html`<select @change=${(event) => actions.setConstant(means, event.target.value)}>
    <option value="" ?selected=${value === undefined}>${empty}</option>${choices.map(
      (code) => html`<option value=${code} ?selected=${value === code}>${choice(code)}</option>`,
    )}</select>`;
}

const numberOrText = (typed) =>
  typed === "" || Number.isNaN(Number(typed)) ? typed : Number(typed);

const constantField = ({ means, value }, actions) =>
  html`<input type="text" inputmode="decimal" .value=${String(value ?? "")}
    @change=${(event) => actions.setConstant(means, numberOrText(event.target.value.trim()))}>`;
