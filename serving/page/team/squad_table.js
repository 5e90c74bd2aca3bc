// The squad as a list: those who are ranked, then those who are not, each with the reason.
import { choice, fixed, in100, interval } from "../lib/number_format.js";
import { plural, text, variant } from "../lib/texts.js";
import { isRaised, kneeName } from "../lib/wording.js";
import { html, nothing, svg } from "../vendor/lit-html.js";
import { axis, riskBar } from "../views/charts.js";
import { baseRate } from "../views/knee_cards.js";
import { groupOf, ranks, SORT_KEYS } from "./squad_order.js";
import { pointsThatCanChange, whyHere } from "./why_here.js";

/** The columns in the order of reading; the rank has no name of its own to press. */
const COLUMNS = ["name", "right", "left", "priority", "learnt"];

export function squadTable(shown, team, actions) {
  const order = variant("page.squad.column", team.sortKey).toLowerCase();
  const rows = shown.filter((athlete) => team.isBusy || groupOf(athlete) !== "refer");
  const isIn = (athlete) => team.isBusy || groupOf(athlete) === "ranked";
  const places = team.isBusy ? new Map() : ranks(rows);
  const ranked = rows.filter(isIn);
  const others = rows.filter((athlete) => !isIn(athlete));
  const row = (athlete) => athleteRow(athlete, places.get(athlete.id), team, actions);
  return html`<table class="squad num" role="table">
    <caption class="vh">${text("page.squad.caption", { order })}</caption>
    <thead role="rowgroup"><tr role="row"><th role="columnheader" class="h-rank" scope="col">
      <span class="vh">${text("page.squad.rank")}</span></th>${COLUMNS.map((key) =>
        columnHead(key, team, actions),
      )}</tr></thead>
    <tbody role="rowgroup">${withCut(ranked, row, places, team)}</tbody>
    ${others.length ? notRanked(others, row) : nothing}</table>`;
}

// Below the line are those whom there is no time for today, as long as the order is that of ranks.
function withCut(ranked, row, places, { sortKey, isDescending, capacity }) {
  const isByRank = sortKey === "priority" && isDescending && places.size > 0;
  const [above, below] = [ranked.slice(0, capacity), ranked.slice(capacity)];
  if (!isByRank || !above.length || !below.length) return ranked.map(row);
  const cut = text("page.squad.cut", { count: capacity });
  return [...above.map(row), separator(cut), ...below.map(row)];
}

const separator = (words) =>
  html`<tr role="row" class="cut"><td role="cell" colspan="6">${words}</td></tr>`;

const notRanked = (others, row) =>
  html`<tbody role="rowgroup" class="unranked">
    ${separator(text("page.squad.unranked"))} ${others.map(row)}</tbody>`;

function columnHead(key, team, actions) {
  const title = variant("page.squad.column", key);
  const isSorted = team.sortKey === key;
  const direction = team.isDescending ? "descending" : "ascending";
  const arrow = team.isDescending ? "↓" : "↑";
  const isNextDescending = isSorted ? !team.isDescending : SORT_KEYS[key].isDescending;
  return html`<th role="columnheader" scope="col" class=${`h-${key}`}
    aria-sort=${isSorted ? direction : nothing}>
    <button type="button" @click=${() => actions.sortBy(key, isNextDescending)}>${title}<span
      class="arrow" aria-hidden="true">${isSorted ? arrow : ""}</span></button>${
        key === "right" || key === "left" ? axis() : nothing
      }</th>`;
}

function athleteRow(athlete, rank, team, actions) {
  const group = groupOf(athlete);
  const open = (event) => {
    event.preventDefault();
    actions.openAthlete(athlete.id);
  };
  // A press anywhere in the row opens the athlete, unless it selects text.
  const press = (event) => {
    const isOwn = event.target.closest("a, button") || String(getSelection());
    if (!isOwn) actions.openAthlete(athlete.id);
  };
  const isFirst = rank <= team.capacity;
  return html`<tr role="row" class=${isFirst ? "today" : `of-${group}`} @click=${press}>
    <td role="cell" class="no">${rank ?? ""}${isFirst ? seeFirst() : nothing}</td>
    <th role="rowheader" scope="row" class="who"><a href="#answer" @click=${open}>${athlete.name}</a>
      <small>${description(athlete)}</small></th>
    ${athlete.summary ? numberCells(athlete, group) : reasonCell(athlete)}
  </tr>`;
}

const seeFirst = () => html`<span class="vh"> ${text("page.squad.today")}</span>`;

function description({ body, edits = [] }) {
  const { sport, age_years: age, sex } = body.athlete ?? {};
  const sexWords = sex === "unspecified" ? "" : sex;
  const ageWords = age === undefined ? "" : fixed(age, 0);
  const changed = edits.length ? plural("page.squad.edits", edits.length) : "";
  const parts = [ageWords, sexWords, sport && choice(sport).toLowerCase(), changed];
  return parts.filter(Boolean).join(", ");
}

// Who could not be scored, or not yet, has no numbers: one cell says why.
function reasonCell({ isDue, faults }) {
  const status = isDue ? text("page.squad.not_scored") : text("page.squad.group.refused");
  return html`<td role="cell" class="all" colspan="4"><span class="tag">${status}</span>
    <small>${isDue ? text("page.squad.waiting") : `${faults.join(". ")}.`}</small></td>`;
}

const numberCells = (athlete, group) =>
  html`${kneeCell(athlete, "right", group)} ${kneeCell(athlete, "left", group)}
    ${whyCell(athlete, group)} ${learntCell(athlete)}`;

function kneeCell({ summary }, side, group) {
  const { risks, hurting, baseRates } = summary;
  const isHurting = hurting.includes(side);
  const knee = risks[side] || isHurting ? side : "either";
  const risk = risks[knee];
  const label = html`<span class="lab">${kneeName(knee)}</span>`;
  if (!risk || group === "unseen") {
    const words = isHurting ? text("page.no_risk.tag.hurts") : text("page.squad.no_number");
    return html`<td role="cell" class="rk">${label} <span class="quiet">${words}</span></td>`;
  }
  const isOpen = group === "low_information" || risk.band === "not_assessed";
  const range = interval(risk.interval);
  const bar = riskBar(risk, baseRate({ base_rate: baseRates }, knee), {
    isCalm: !isRaised(risk.band),
    isOpen,
  });
  const count = in100(risk.probability);
  return html`<td role="cell" class=${isOpen ? "rk is-open" : "rk"}>${label} <b>${count}</b>
    <small>${knee === "either" ? text("page.squad.either", { range }) : range}</small> ${bar}</td>`;
}

function whyCell(athlete, group) {
  const flag = athlete.summary.flags[0];
  const points = group === "ranked" ? pointsThatCanChange(athlete) : "";
  return html`<td role="cell" class="why1">${whyHere(athlete)} <small>${points}</small>${
    flag ? tellClinician(flag) : nothing
  }</td>`;
}

const tellClinician = (flag) =>
  html`<span class="tag tag--flag">${text("page.squad.tell", { when: flag.when })}</span>`;

/** Of what tests could settle, the share that is settled: a bar and the number. */
function learntCell({ summary: { learnt } }) {
  const label = html`<span class="lab">${variant("page.squad.column", "learnt")} </span>`;
  if (learnt === null) return html`<td role="cell" class="lt">${label}–</td>`;
  const share = Math.round(100 * learnt);
  return html`<td role="cell" class="lt">${label}<div class="meter">${meterBar(share)}<span>${text(
    "page.squad.percent",
    { share },
  )}</span></div></td>`;
}

const meterBar = (share) =>
  html`<svg class="meter__bar" aria-hidden="true"><rect class="c-track" width="100%" height="12"
    rx="6"></rect>${
      share ? svg`<rect class="m-on" width=${`${share}%`} height="12" rx="6"/>` : nothing
    }</svg>`;
