// Whom to ask for a weekly check: overdue first, the longest silence at the top.
import { longDate } from "../lib/number_format.js";
import { plural, text, variant } from "../lib/texts.js";
import { html, nothing } from "../vendor/lit-html.js";

/** So many of a group are shown before somebody asks for all. */
const SHOWN = 12;
const GROUPS = ["overdue", "due", "lost"];

export function overdueList({ club }, actions) {
  const { list } = club;
  if (!list) return nothing;
  const isNobody = GROUPS.every((group) => !list.counts[group]);
  return html`<section class="card" aria-labelledby="h-overdue">
    <h2 id="h-overdue">${text("club.overdue.heading")}</h2>
    ${isNobody ? html`<p>${text("club.overdue.none")}</p>` : nothing}
    ${GROUPS.map((group) => groupOf(group, club, actions))}
    ${list.next ? html`<p class="small">${text("club.overdue.beyond")}</p>` : nothing}
    <p class="small quiet">${text("club.overdue.rule")}</p></section>`;
}

/** Those of a group, the longest silence first. */
export const ofGroup = ({ athletes }, group) =>
  athletes
    .filter(({ follow_up: state }) => state === group)
    .sort((a, b) => b.silent_days - a.silent_days || a.athlete.localeCompare(b.athlete));

function groupOf(group, { list, shown }, actions) {
  const members = ofGroup(list, group);
  if (!members.length) return nothing;
  const visible = shown[group] ? members : members.slice(0, SHOWN);
  const title = html`<h3>${variant("club.overdue.group", group)}
    <span class="quiet num">${list.counts[group].toLocaleString("en")}</span></h3>`;
  const rest = html`<button class="more" type="button" @click=${() => actions.showAll(group)}>
    ${text("club.overdue.more", { count: members.length.toLocaleString("en") })}</button>`;
  return html`<div class="late">${title}
    <ul>${visible.map((one) => item(one, actions))}</ul>
    ${visible.length < members.length ? rest : nothing}</div>`;
}

const item = ({ athlete, heard_of: heard, silent_days: days }, actions) =>
  html`<li><button type="button" @click=${() => actions.ask(athlete)}>
    <span><b>${athlete}</b>
      <small>${text("club.overdue.last", { date: longDate(heard) })}</small></span>
    <span class="num">${plural("club.check.days", days)}</span></button></li>`;
