// Monitoring: the verdict first, then what was told against what happened, and who is followed.
import { choice, fixed, longDate, short } from "../lib/number_format.js";
import { plural, text, variant } from "../lib/texts.js";
import { kneeName } from "../lib/wording.js";
import { html, nothing } from "../vendor/lit-html.js";
import { meter } from "../views/charts.js";
import { countsChart, curveChart, events, risk100, weeksChart } from "./monitoring_charts.js";

const BY = ["version", "club", "sex", "sport", "side"];
const STEPS = ["nothing", "collect", "adapt", "retrain", "stop"];

const word = (isSo) => (isSo ? "yes" : "no");

export function monitoringView({ club, labels, fields }) {
  const { report } = club;
  if (!report) {
    return html`<div class="head"><div>
      <h1 id="h-club" tabindex="-1">${text("club.view_title.monitoring")}</h1>
      <p>${club.isBusy ? text("club.monitoring.loading") : nothing}</p></div></div>`;
  }
  return html`${head(report)}
    <div class="told">${countsCard(report)} ${stepCard(report)}</div>
    <div class="two told__rest"><div class="stack">${weeksCard(report)} ${followUpCard(report)}
        ${curveCard(report)} ${driftCard(report, labels, fields)}</div>
      ${partsCard(report)}</div>`;
}

const head = ({ version, overall, first_visit: first, day, next_step: { step } }) =>
  html`<div class="head"><div>
    <h1 id="h-club" tabindex="-1">${variant("club.monitoring.step", step)}</h1>
    <p>${text("club.monitoring.followed", {
      version,
      athletes: plural("club.monitoring.athletes", overall.athletes),
      years: fixed(overall.years, 1),
      first: longDate(first),
      day: longDate(day),
    })}</p></div></div>`;

// The sentence of the command line, without its "To do: ", which the heading says here.
const reason = ({ to_do: told }) => told.slice(told.indexOf(":") + 1).trim();

function countsCard(report) {
  const { overall } = report;
  const [low, high] = overall.chance;
  return html`<section class="card take" aria-label=${text("club.view_title.monitoring")}>
    <p><b>${sentence(reason(report))}</b></p>
    <div class="tell num"><p><b>${events(overall.told)}</b>
        <span>${text("club.monitoring.told", { count: overall.athletes })}</span></p>
      <p><b>${overall.observed}</b><span>${text("club.monitoring.observed")}</span></p></div>
    <p>${variant("club.monitoring.once", overall.years ? word(overall.could_be_chance) : "none")} ${alarmWords(report.alarm)}</p>
    ${countsChart(overall)}
    <p class="small chart__key"><span class="sw sw--band"></span>
      ${text("club.monitoring.band", { low, high })}</p>
    <p class="small">${text("club.monitoring.scale")}</p></section>`;
}

const sentence = (words) => words[0].toUpperCase() + words.slice(1);

// Looked at once, today, beside what weekly looks have seen: nothing where they saw nothing.
const alarmWords = (alarm) => (alarm.raised_on ? alarmState(alarm) : nothing);

function alarmState({ raised_on: raised, more, since }) {
  const state = raised ? (more ? "more" : "less") : "quiet";
  const values = { since: longDate(since), day: raised ? longDate(raised) : "" };
  return variant("club.monitoring.alarm_state", state, values);
}

const quietAlarm = (alarm) =>
  html`<h3>${text("club.monitoring.alarm")}</h3>
    <p class="small">${alarmState(alarm)}</p>
    ${alarm.raised_before.length ? html`<p class="small">${raisedBefore(alarm)}</p>` : nothing}`;

const raisedBefore = ({ raised_before: days }) =>
  text("club.monitoring.alarm_before", { days: days.map(longDate).join(", ") });

function stepCard({ next_step: { step }, alarm }) {
  return html`<section class="card" aria-labelledby="h-step">
    <h2 id="h-step">${text("club.monitoring.next")}</h2>
    <ol class="acts5">${STEPS.map(
      (name) =>
        html`<li class=${name === step ? "on" : nothing}
        aria-current=${name === step ? "step" : nothing}>
        ${variant("club.monitoring.step", name)}</li>`,
    )}</ol>
    <p class="small quiet">${text("club.monitoring.rule")}</p>
    ${alarm.raised_on ? nothing : quietAlarm(alarm)}</section>`;
}

// One week is no line.
function weeksCard({ alarm: { weeks, since } }) {
  if (weeks.length < 2) return nothing;
  return html`<section class="card" aria-labelledby="h-weeks">
    <h2 id="h-weeks">${text("club.monitoring.over_time.heading")}</h2>
    ${weeksChart(weeks)}
    <p class="small quiet">
      ${text("club.monitoring.over_time.note", { since: longDate(since) })}</p></section>`;
}

// -- parts -----------------------------------------------------------------------------------

function partsCard({ parts }) {
  const table = () =>
    html`<p class="small quiet">${text("club.monitoring.parts.note")}</p>
      <table class="tab num small"><thead><tr>
        <th>${text("club.monitoring.parts.part")}</th>
        <th class="r">${text("club.monitoring.parts.told")}</th>
        <th class="r">${text("club.monitoring.parts.observed")}</th>
        <th class="r">${text("club.monitoring.parts.allows")}</th></tr></thead>
      ${BY.map((by) =>
        partGroup(
          by,
          parts.filter((part) => part.by === by),
        ),
      )}</table>`;
  return html`<section class="card" aria-labelledby="h-parts">
    <h2 id="h-parts">${text("club.monitoring.parts.heading")}</h2>
    ${parts.length ? table() : html`<p>${text("club.monitoring.parts.none")}</p>`}</section>`;
}

const partGroup = (by, parts) =>
  parts.length
    ? html`<tbody><tr class="group"><th colspan="4" scope="rowgroup">
        ${variant("club.monitoring.by", by)}</th></tr>${parts.map(partRow)}</tbody>`
    : nothing;

function partRow({ by, name, counts, could_be_chance: isChance }) {
  const [low, high] = counts.chance;
  return html`<tr class=${isChance ? nothing : "is-off"}><th scope="row">${partName(by, name)}
      <small>${plural("club.monitoring.athletes", counts.athletes)}</small></th>
    <td class="r">${events(counts.told)}</td><td class="r">${counts.observed}</td>
    <td class="r">${text("club.monitoring.parts.range", { low, high })}
      ${isChance ? nothing : html`<small>${text("club.monitoring.parts.beyond")}</small>`}</td></tr>`;
}

function partName(by, name) {
  if (!name) return text("club.monitoring.parts.not_stated");
  if (by === "side") return kneeName(name);
  return by === "sex" || by === "sport" ? choice(name) : name;
}

// -- who is followed, the curve, the inputs ----------------------------------------------------

function followUpCard({ follow_up: found, overall }) {
  const { athletes, overdue, lost } = found;
  const row = (label, count) => {
    const share = text("club.monitoring.follow_up.share", { count, all: athletes });
    return html`<div class="learnt"><b>${label}</b>
      ${meter(athletes ? count / athletes : 0)}<span class="num">${share}</span></div>`;
  };
  return html`<section class="card" aria-labelledby="h-followed">
    <h2 id="h-followed">${text("club.monitoring.follow_up.heading")}</h2>
    ${row(text("club.monitoring.follow_up.overdue"), overdue)}
    ${row(text("club.monitoring.follow_up.lost"), lost)}
    <p class="small">${lostWords(found)}</p>
    ${overall.athletes ? html`<a class="btn" href="#club">${text("club.monitoring.follow_up.whom")}</a>` : nothing}
  </section>`;
}

function lostWords({ p_value: p, lost_told: lostTold, others_told: othersTold }) {
  if (p === null) return text("club.monitoring.follow_up.few");
  const values = { lost: risk100(lostTold), others: risk100(othersTold) };
  return p < 0.05
    ? text("club.monitoring.follow_up.difference", values)
    : text("club.monitoring.follow_up.no_difference", values);
}

function curveCard({ calibration, follow_up: { ended }, promise }) {
  const slope = () =>
    text("club.monitoring.curve.slope", {
      slope: fixed(calibration.slope, 2),
      low: fixed(calibration.slope_low, 2),
      high: fixed(calibration.slope_high, 2),
    });
  const hasCurve = calibration?.risk.length;
  return html`<section class="card" aria-labelledby="h-curve">
    <h2 id="h-curve">${text("club.monitoring.curve.heading")}</h2>
    ${hasCurve ? curveChart(calibration) : nothing}
    <p class="small">${calibration ? slope() : text("club.monitoring.curve.too_early", { events: ended.pain ?? 0 })}</p>
    <h3>${text("club.monitoring.promise.heading")}</h3>
    <p class="small">${promiseWords(promise)}</p></section>`;
}

function promiseWords(promise) {
  if (!promise) return text("club.monitoring.promise.none");
  const { promised, happened } = promise;
  const values = { promised: fixed(promised, 3), happened: fixed(happened, 3) };
  const chance = variant("club.monitoring.chance", word(promise.p_value >= 0.05));
  return `${text("club.monitoring.promise.kept", values)} ${chance}`;
}

function driftCard({ drift }, labels, fields) {
  const drifted = (drift ?? []).filter((one) => one.drifted);
  return html`<section class="card" aria-labelledby="h-drift">
    <h2 id="h-drift">${text("club.monitoring.drift.heading")}</h2>
    <p class="small">${driftWords(drift, drifted)}</p>
    <ul class="drifted">${drifted.map((one) => html`<li>${driftOf(one, labels, fields)}</li>`)}</ul>
  </section>`;
}

function driftWords(drift, drifted) {
  if (!drift?.length) return text("club.monitoring.drift.not_compared");
  if (!drifted.length) return text("club.monitoring.drift.none", { count: drift.length });
  const values = { count: drifted.length, all: drift.length };
  return text("club.monitoring.drift.some", values);
}

function driftOf(drift, labels, fields) {
  const { measure, shift_sd: shift } = drift;
  const field = fields.find(({ name }) => name === measure);
  const label = field ? short(field.label) : (labels[measure] ?? measure.replaceAll("_", " "));
  const values = {
    measure: label,
    shift: (shift > 0 ? "+" : "") + fixed(shift, 2),
    ratio: fixed(drift.spread ?? 1, 2),
  };
  if (drift.shifted && drift.spread_changed) return text("club.monitoring.drift.both", values);
  const { ratio, ...mean } = values;
  return drift.shifted
    ? text("club.monitoring.drift.mean", mean)
    : text("club.monitoring.drift.spread", { measure: label, ratio });
}
