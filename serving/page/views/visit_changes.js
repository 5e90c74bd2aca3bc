// What changed between the visits of one athlete, beyond measurement error.
import { icon } from "../lib/icon.js";
import * as format from "../lib/number_format.js";
import { text, variant } from "../lib/texts.js";
import { band as bandName, kneeName, sideName, SIDES } from "../lib/wording.js";
import { html, nothing } from "../vendor/lit-html.js";
import { trend } from "./trend_chart.js";

const VERDICT_RANK = { changed: 0, possible: 1, within_error: 2, no_error_known: 3 };
/** So many measures are shown where none has changed. */
const SHOWN_UNCHANGED = 4;

const isChanged = ({ verdict }) => verdict === "changed" || verdict === "possible";

/** The answer to a comparison of visits; null while it is on its way. */
export function visitChanges(followUp) {
  if (!followUp) {
    return html`<p class="section quiet" role="status">${text("page.changes.comparing")}</p>`;
  }
  if (followUp.faults) return notComparable(followUp.faults);
  return html`${redFlags(followUp.refer)} ${measures(followUp)} ${adviceShown(followUp)}
    ${patternChanges(followUp)}`;
}

const notComparable = (faults) =>
  html`<div class="section flags flags--state">${icon("flag", 30)}
    <p><b>${text("page.changes.not_comparable")}</b>${faults.map(
      (fault) => html`<span class="small">${fault}</span>`,
    )}</p></div>`;

function redFlags(refer) {
  if (!refer?.length) return nothing;
  const item = ({ date, flag }) =>
    html`<li><b>${format.longDate(date)}</b><span>${flag.reason}. ${flag.act}</span></li>`;
  return html`<div class="section flags flags--refer" role="alert">${icon("flag", 40)}
    <div><h2>${text("page.changes.red_flag")}</h2><ul>${refer.map(item)}</ul></div></div>`;
}

function measures(followUp) {
  const sorted = [...followUp.changes].sort(
    (a, b) => VERDICT_RANK[a.verdict] - VERDICT_RANK[b.verdict],
  );
  const changed = sorted.filter(isChanged);
  const shown = changed.length ? changed : sorted.slice(0, SHOWN_UNCHANGED);
  const rest = sorted.filter((change) => !shown.includes(change));
  const since = format.longDate(followUp.visits[0].date);
  const byChance = html`<p class="small quiet">${followUp.by_chance}</p>`;
  return html`<section class="section" id="v-changes" aria-labelledby="h-changes">
    <h2 id="h-changes">${text("page.changes.since", { date: since })}</h2>
    <p>${followUp.summary}</p>${followUp.by_chance ? byChance : nothing}
    <p class="small quiet">${text("page.changes.band")}</p>
    <div class="trends">${riskTrends(followUp)}${shown.map(measureTrend)}</div>
    ${rest.length ? unchanged(rest) : nothing}
  </section>`;
}

function unchanged(changes) {
  const count = changes.length;
  const summary = changes.every(({ verdict }) => verdict === "within_error")
    ? text("page.changes.rest_within_error", { count })
    : text("page.changes.rest_unclear", { count });
  return html`<details class="rest card trends__rest"><summary>${summary}</summary>
    <div class="trends">${changes.map(measureTrend)}</div></details>`;
}

function riskTrends({ visits, risk_changes: changes }) {
  const knees = SIDES.some((side) => visits.some((visit) => visit[side])) ? SIDES : ["either"];
  return knees.map((knee) =>
    riskTrend(
      knee,
      visits.filter((visit) => visit[knee]),
      changes.find((change) => change.knee === knee),
    ),
  );
}

function riskTrend(knee, visits, change) {
  if (visits.length < 2) return nothing;
  const rows = comparable(knee, visits, change);
  const band = change?.error_band.map((probability) => 100 * probability);
  const title = text("page.changes.risk_title", { knee: kneeName(knee) });
  const points = visits.map((visit) =>
    text("page.changes.risk_point", {
      count: format.in100(visit[knee].probability),
      interval: format.interval(visit[knee].interval),
      date: format.shortDate(visit.date),
    }),
  );
  const label = text("page.titled", { title, name: points.join(", ") });
  const last = visits.at(-1)[knee];
  const now = text("page.changes.risk_now", {
    count: format.in100(last.probability),
    band: bandName(last.band).toLowerCase(),
  });
  const chart = trend({ rows, band, floor: 0, label, format: (y) => format.value(Math.round(y)) });
  return html`<figure class="card"><h3>${title}</h3>${chart}
    <figcaption>${change ? riskVerdict(change) : nothing} ${now}</figcaption></figure>`;
}

// The risks that can be compared: of all visits, or of the first and last by the tests of both.
function comparable(knee, visits, change) {
  const row = (date, probability) => ({
    date,
    label: format.shortDate(date),
    y: 100 * probability,
  });
  if (!change || change.same_tests) {
    return visits.map((visit) => row(visit.date, visit[knee].probability));
  }
  return [row(change.first_date, change.first), row(change.last_date, change.last)];
}

function riskVerdict(change) {
  const moved = Math.abs(change.points);
  // A second decimal where the first can't show which of the two is larger.
  const digits = format.fixed(moved, 1) === format.fixed(change.error_points, 1) ? 2 : 1;
  const size = format.fixed(moved, digits);
  const error = format.fixed(change.error_points, digits);
  const direction = Math.abs(change.points) < 0.05 ? "same" : change.points > 0 ? "up" : "down";
  const sentence = variant("page.changes.risk_moved", direction, { size, error });
  // A change beyond error that is too small to report is not within error.
  const isSmall = change.verdict === "within_error" && moved > change.error_points;
  const verdict = isSmall ? "small" : change.verdict;
  const note = change.same_tests ? "" : ` ${text("page.changes.common_tests")}`;
  return html`<b>${variant("page.changes.risk_verdict", verdict)}.</b> ${sentence}${note}`;
}

function measureTrend(change) {
  const { series, first, detectable } = change;
  const title = change.side
    ? text("page.titled", { title: sideName(change.side), name: change.label })
    : change.label;
  const sign = format.unit(change.unit);
  const verdict = variant("page.changes.verdict", change.verdict);
  const rows = series.map(({ date, value, error }) => ({
    date,
    label: format.shortDate(date),
    y: value,
    ...(error ? { low: value - error, high: value + error } : {}),
  }));
  const points = series.map(({ date, value }) =>
    text("page.changes.measure_point", {
      value: format.withUnit(value, change.unit),
      date: format.shortDate(date),
    }),
  );
  const band = detectable ? [first - detectable, first + detectable] : null;
  const chart = trend({ rows, band, label: `${title}: ${points.join(", ")}. ${verdict}.` });
  const direction = isChanged(change) ? variant("page.changes.direction", change.direction) : null;
  return html`<figure class="card"><h3>${title}${sign ? `, ${sign}` : ""}</h3>${chart}
    <figcaption><b>${verdict}${direction ? `, ${direction}` : ""}.</b>
      ${measureSentence(change)}</figcaption></figure>`;
}

function measureSentence({ change, first, last, detectable }) {
  const direction = change === 0 ? "same" : change > 0 ? "up" : "down";
  const sentence = variant("page.changes.moved", direction, {
    size: format.value(Math.abs(change)),
    first: format.value(first),
    last: format.value(last),
  });
  if (!detectable) return `${sentence}.`;
  return `${sentence}; ${text("page.changes.threshold", { detectable: format.value(detectable) })}`;
}

function adviceShown({ advice_shown: advice }) {
  if (!advice?.length) return nothing;
  return html`<section class="section card" aria-labelledby="h-advised">
    <h2 id="h-advised">${text("page.changes.advice")}</h2>
    <ul class="kept">${advice.map(({ message }) => html`<li><span>${message}</span></li>`)}</ul>
  </section>`;
}

function patternChanges({ imbalance_changes: changes }) {
  const moved = (changes ?? []).filter(
    (change) => change.verdict !== "within_error" && change.moved_from !== change.moved_to,
  );
  if (!moved.length) return nothing;
  const status = (code) => variant("page.changes.pattern_status", code);
  const item = ({ side, label, moved_from: before, moved_to: now }) => {
    const name = text("page.titled", { title: sideName(side), name: label });
    const values = { before: status(before), now: status(now) };
    return html`<li><span>${name}</span><span>${text("page.changes.pattern", values)}</span></li>`;
  };
  return html`<section class="section card" aria-labelledby="h-moved">
    <h2 id="h-moved">${text("page.changes.patterns")}</h2>
    <ul class="kept">${moved.map(item)}</ul></section>`;
}
