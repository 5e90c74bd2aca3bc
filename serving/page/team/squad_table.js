// The squad as a table, one row for each athlete.
import { icon } from "../lib/icon.js";
import { choice, fixed, in100, interval, list } from "../lib/number_format.js";
import { text, variant } from "../lib/texts.js";
import { equipmentName, isOpen, isRaised, kneeName, pattern, sideName } from "../lib/wording.js";
import { html, nothing } from "../vendor/lit-html.js";
import { axis, riskBar } from "../views/charts.js";
import { baseRate } from "../views/knee_cards.js";
import { groupOf, priority, SORT_KEYS } from "./squad_order.js";
import { groupName, statusWords } from "./status_words.js";

export function squadTable(athletes, first, team, actions) {
  const order = variant("page.squad.column", team.sortKey).toLowerCase();
  return html`<table class="squad num" role="table">
    <caption class="vh">${text("page.squad.caption", { order })}</caption>
    <thead role="rowgroup"><tr role="row">${Object.keys(SORT_KEYS).map((key) =>
      columnHead(key, team, actions),
    )}</tr></thead>
    <tbody role="rowgroup">${athletes.map((athlete) =>
      athleteRow(athlete, first.has(athlete.id), actions),
    )}</tbody></table>`;
}

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

function athleteRow(athlete, isFirst, actions) {
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
  const today = html` <span class="tag tag--today">${text("page.squad.today")}</span>`;
  const hasNoNumbers = group === "refer" || group === "refused";
  return html`<tr role="row" class=${isFirst ? `today of-${group}` : `of-${group}`} @click=${press}>
    <th role="rowheader" scope="row" class="who">${group === "refer" ? icon("flag", 18) : nothing}
      <a href="#answer" @click=${open}>${athlete.name}</a>${isFirst ? today : nothing}
      <small>${description(athlete)}</small></th>
    ${hasNoNumbers ? reasonCell(athlete, group) : numberCells(athlete)}
  </tr>`;
}

function description({ body }) {
  const { sport, age_years: age, sex } = body.athlete ?? {};
  const sexWords = sex === "unspecified" ? "" : sex;
  const ageWords = age === undefined ? "" : fixed(age, 0);
  return [sport && choice(sport).toLowerCase(), sexWords, ageWords].filter(Boolean).join(", ");
}

// Who is sent to a clinician, or could not be scored, has no numbers: one cell says why.
function reasonCell(athlete, group) {
  const isReferred = group === "refer";
  const isWaiting = group === "refused" && athlete.isDue;
  const status = isWaiting ? text("page.squad.not_scored") : statusWords(athlete);
  return html`<td role="cell" class="all" colspan="5">
    <span class=${isReferred ? "tag tag--flag" : "tag"}>${status}</span>
    <small>${reason(athlete, isReferred)}</small></td>`;
}

function reason(athlete, isReferred) {
  if (isReferred) {
    const reasons = list(athlete.summary.flags.map((flag) => flag.reason));
    return text("page.squad.referred", { reasons });
  }
  return athlete.isDue ? text("page.squad.waiting") : `${athlete.faults.join(". ")}.`;
}

const numberCells = (athlete) =>
  html`${kneeCell(athlete, "right")} ${kneeCell(athlete, "left")} ${patternCell(athlete)}
    ${nextTestCell(athlete)} ${priorityCell(athlete)}`;

function kneeCell({ summary }, side) {
  const { risks, hurting, baseRates } = summary;
  const isHurting = hurting.includes(side);
  const knee = risks[side] || isHurting ? side : "either";
  const risk = risks[knee];
  if (!risk) {
    const words = isHurting ? text("page.no_risk.tag.hurts") : text("page.no_risk.headline.none");
    return html`<td role="cell" class="rk"><span class="lab">${kneeName(side)}</span>
      <span class="tag">${words}</span></td>`;
  }
  const range = interval(risk.interval);
  const bar = riskBar(risk, baseRate({ base_rate: baseRates }, knee), {
    isCalm: !isRaised(risk.band),
    isOpen: isOpen(summary, risk),
  });
  return html`<td role="cell" class="rk"><span class="lab">${kneeName(knee)}</span>
    <b>${in100(risk.probability)}</b>
    <small>${knee === "either" ? text("page.squad.either", { range }) : range}</small>
    ${bar}</td>`;
}

function patternCell({ summary }) {
  const [best] = summary.patterns;
  const name = best
    ? text("page.titled", { title: sideName(best.side), name: best.label })
    : text("page.live.no_pattern");
  const status = statusTag(summary.status);
  const flag = summary.flags[0];
  const soon = () =>
    html` <span class="tag tag--flag">${text("page.squad.tell", { when: flag.when })}</span>`;
  return html`<td role="cell" class="pat">${name}<small>${patternNote(summary)}</small>${
    status ? html`<span class="tag">${status}</span>` : nothing
  }${flag ? soon() : nothing}</td>`;
}

function patternNote({ patterns, openPatterns, judgedPatterns }) {
  const [best, ...others] = patterns;
  if (best) {
    const values = {
      count: in100(best.probability),
      status: pattern(best.status).toLowerCase(),
      others: others.length,
    };
    return others.length
      ? text("page.squad.pattern_and_more", values)
      : text("page.squad.pattern_chance", { count: values.count, status: values.status });
  }
  if (openPatterns) {
    return text("page.live.open_patterns", { count: openPatterns, all: judgedPatterns });
  }
  return judgedPatterns ? text("page.none_points") : text("page.squad.not_judged");
}

function statusTag(status) {
  if (status === "low_information") return groupName(status);
  return status === "out_of_population" ? text("page.squad.outside") : null;
}

function nextTestCell({ summary }) {
  const test = summary.nextTest;
  const label = html`<span class="lab">${text("page.squad.next")} </span>`;
  if (!test) return html`<td role="cell" class="nx">${label}${text("page.squad.no_test")}</td>`;
  const equipment =
    test.equipment === "none" ? text("page.squad.no_device") : equipmentName(test.equipment);
  const needs = text("page.squad.test_needs", { minutes: test.minutes, equipment });
  return html`<td role="cell" class="nx">${label}${test.label}<small>${needs}</small></td>`;
}

function priorityCell(athlete) {
  const points = priority(athlete);
  const { raisers } = athlete.summary;
  const label = html`<span class="lab">${variant("page.squad.column", "priority")} </span>`;
  if (points === null) return html`<td role="cell" class="pr">${label}–</td>`;
  const from = raisers.length
    ? raisers.join("; ").toLowerCase()
    : text("page.squad.nothing_raises");
  return html`<td role="cell" class="pr">${label}<b>${points.toFixed(1)}</b>
    <small>${from}</small></td>`;
}
