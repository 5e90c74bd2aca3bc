// Visits stored in this browser: save, open, go on from, delete, compare.
import { longDate } from "../lib/number_format.js";
import { text } from "../lib/texts.js";
import { html, nothing } from "../vendor/lit-html.js";
import { keepCard } from "./keep_card.js";
import { visitChanges } from "./visit_changes.js";

export const isSameName = (a, b) => a.trim().toLowerCase() === b.trim().toLowerCase();
const byDate = (a, b) => a.date.localeCompare(b.date);

/** The visits of one athlete, the first one first. */
export const visitsOf = (visits, name) =>
  visits.filter((visit) => isSameName(visit.name, name)).sort(byDate);

export function visitsView(state, actions) {
  const { draft, visits } = state;
  const own = visitsOf(visits, draft.name);
  const others = visits
    .filter((visit) => !isSameName(visit.name, draft.name))
    .sort((a, b) => a.name.localeCompare(b.name) || byDate(a, b));
  const heading = text("page.visits.heading");
  const title = draft.name ? text("page.titled", { title: heading, name: draft.name }) : heading;
  return html`<section class="view" aria-labelledby="h-visits">
    <div class="head"><div><h1 id="h-visits" tabindex="-1">${title}</h1>
      <p>${text("page.visits.note")}</p></div></div>
    ${thisVisit(own, state, actions)} ${keepCard(state, actions)} ${changes(own, state)}
    ${others.length ? otherVisits(others, state, actions) : nothing}
  </section>`;
}

function thisVisit(own, state, actions) {
  const { draft, answer } = state;
  const replaces = own.some((visit) => visit.date === draft.date);
  const date = longDate(draft.date);
  const canSave = answer && draft.name.trim();
  const saveLabel = replaces ? text("page.visits.replace") : text("page.visits.save");
  return html`<section class="card" aria-labelledby="h-save">
    <h2 id="h-save">${text("page.visits.this_visit", { date })}</h2>
    <p class="quiet">${saveNote(draft, answer, replaces)}</p>
    <div class="acts">
      <button class="btn btn--main" type="button" ?disabled=${!canSave} @click=${actions.saveVisit}>
        ${saveLabel}</button>
      <a class="btn" href="#screen">${text("page.to_the_form")}</a></div>
    ${state.saveMessage ? html`<p class="small" role="status">${state.saveMessage}</p>` : nothing}
    ${visitList(own, state, actions)}
  </section>`;
}

function saveNote(draft, answer, replaces) {
  if (!answer) return text("page.visits.nothing_to_save");
  if (!draft.name) return text("page.visits.name_first");
  return replaces ? text("page.visits.saved_before") : text("page.visits.under_name");
}

function changes(own, state) {
  if (own.length > 1) return visitChanges(state.followUp);
  if (!own.length) return nothing;
  return html`<p class="section quiet">${text("page.visits.only_one")}</p>`;
}

const otherVisits = (visits, state, actions) =>
  html`<section class="section card" aria-labelledby="h-others">
    <h2 id="h-others">${text("page.visits.others")}</h2>
    ${visitList(visits, state, actions)}</section>`;

function visitList(visits, state, actions) {
  if (!visits.length) return nothing;
  return html`<ul class="kept">${visits.map((visit) => visitItem(visit, state, actions))}</ul>`;
}

function visitItem(visit, state, actions) {
  const { id, name } = visit;
  const date = longDate(visit.date);
  const button = (key, label, action) =>
    html`<button class="btn" type="button" aria-label=${label} @click=${() => action(id)}>
      ${key}</button>`;
  const values = { name, date };
  const confirm = html`<button class="btn btn--flag" type="button"
    @click=${() => actions.deleteVisit(id)}>${text("page.visits.confirm_delete")}</button>`;
  const remove = () =>
    button(
      text("page.visits.delete"),
      text("page.visits.delete_label", values),
      actions.askToDelete,
    );
  return html`<li><span><b>${name}</b> ${date}</span>
    <span class="acts">
      ${button(text("page.visits.open"), text("page.visits.open_label", values), actions.openVisit)}
      ${button(text("page.visits.next"), text("page.visits.next_label", values), actions.nextVisit)}
      ${state.deletingVisit === id ? confirm : remove()}</span></li>`;
}
