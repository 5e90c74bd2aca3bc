// Charts of monitoring: events told and observed on one line, and told risk against what happened.
import { in100, shortDate } from "../lib/number_format.js";
import { text } from "../lib/texts.js";
import { html, svg } from "../vendor/lit-html.js";

/** Events that were told of, which need not be whole: "5.3". */
export const events = (told) => (told > 0 && told < 0.05 ? "<0.1" : told.toFixed(1));

const WIDE = { left: 16, right: 584 };
const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];
const MOST_TICKS = 6;

/** Numbers from 0 to beyond the largest, in round steps. */
function ticksTo(largest) {
  const step = STEPS.find((one) => largest / one <= MOST_TICKS - 1) ?? largest;
  return Array.from({ length: Math.ceil(largest / step) + 1 }, (_, i) => i * step);
}

/** What was told, what chance allows around it, and what was observed. */
export function countsChart({ told, observed, chance: [low, high] }) {
  const ticks = ticksTo(Math.max(observed, high, told, 1) * 1.05);
  const x = (count) => WIDE.left + ((WIDE.right - WIDE.left) * count) / ticks.at(-1);
  const values = { told: events(told), low, high, observed };
  const toldAt = Math.max(x(told), 40);
  // Two names that would run into each other: what was observed stands below the line.
  const isNear = Math.abs(x(told) - x(observed)) < 130;
  const observedAt = Math.min(Math.max(x(observed), 52), 540);
  return html`<svg class="chart" viewBox=${`0 0 600 ${isNear ? 118 : 92}`} role="img"
    aria-label=${text("club.monitoring.chart", values)}>
    <rect class="c-track" x=${WIDE.left} y="34" width=${WIDE.right - WIDE.left} height="22" rx="4"></rect>
    <rect class="c-band c-band--more" x=${x(low)} y="34" width=${Math.max(x(high) - x(low), 2)} height="22"></rect>
    <line class="c-base" x1=${x(told)} x2=${x(told)} y1="26" y2="64"></line>
    <circle class="c-dot" cx=${x(observed)} cy="45" r="9"></circle>
    <text class="c-txt" x=${toldAt} y="18" text-anchor="middle">${text("club.monitoring.told_label", { count: values.told })}</text>
    <text class="c-txt c-txt--b" x=${observedAt} y=${isNear ? 110 : 18} text-anchor="middle">${text("club.monitoring.observed_label", { count: observed })}</text>
    ${isNear ? svg`<line class="c-axis c-axis--lead" x1=${x(observed)} x2=${x(observed)} y1="56" y2="96"/>` : ""}
    ${ticks.map((tick) => svg`<text class="c-txt" x=${x(tick)} y="82" text-anchor="middle">${tick}</text>`)}
  </svg>`;
}

const SQUARE = { left: 48, right: 588, top: 32, bottom: 286 };

/** A curve of told risk against what happened, with its band. */
export function curveChart({ risk, observed, low, high }) {
  const ticks = ticksTo(100 * Math.max(...high, ...risk));
  const x = (p) => SQUARE.left + ((SQUARE.right - SQUARE.left) * 100 * p) / ticks.at(-1);
  const y = (p) => SQUARE.bottom - ((SQUARE.bottom - SQUARE.top) * 100 * p) / ticks.at(-1);
  const along = (values, order) => order.map((i) => `${x(risk[i])} ${y(values[i])}`).join("L");
  const places = risk.map((_, i) => i);
  const band = `M${along(high, places)}L${along(low, places.toReversed())}Z`;
  const end = ticks.at(-1) / 100;
  return html`<svg class="chart" viewBox="0 0 600 344" role="img"
    aria-label=${text("club.monitoring.curve.chart")}>
    ${ticks.map(
      (tick) => svg`<path class="c-axis" d=${`M${SQUARE.left} ${y(tick / 100)}H${SQUARE.right}`}/>
      <text class="c-txt" x="40" y=${y(tick / 100) + 5} text-anchor="end">${tick}</text>
      <text class="c-txt" x=${x(tick / 100)} y="308" text-anchor="middle">${tick}</text>`,
    )}
    <path class="c-band" d=${band}></path>
    <line class="c-base" x1=${x(0)} y1=${y(0)} x2=${x(end)} y2=${y(end)}></line>
    <path class="c-line" d=${`M${along(observed, places)}`}></path>
    <text class="c-txt" x="318" y="336" text-anchor="middle">${text("club.monitoring.curve.told")}</text>
    <text class="c-txt" x="48" y="16">${text("club.monitoring.curve.observed")}</text></svg>`;
}

const WEEKS = { left: 40, right: 588, top: 12, bottom: 160 };

/** Events so far by week: observed, told, and what chance allows. */
export function weeksChart(weeks) {
  const last = weeks.at(-1);
  const start = Date.parse(weeks[0].day);
  const span = Date.parse(last.day) - start || 1;
  const ticks = ticksTo(Math.max(last.observed, last.chance[1], 1));
  const x = ({ day }) =>
    WEEKS.left + ((WEEKS.right - WEEKS.left) * (Date.parse(day) - start)) / span;
  const y = (n) => WEEKS.bottom - ((WEEKS.bottom - WEEKS.top) * n) / ticks.at(-1);
  const line = (list, count) => list.map((week) => `${x(week)} ${y(count(week))}`).join("L");
  const band = `M${line(weeks, ({ chance }) => chance[1])}L${line(weeks.toReversed(), ({ chance }) => chance[0])}Z`;
  const label = text("club.monitoring.over_time.chart", {
    observed: last.observed,
    told: events(last.told),
  });
  return html`<svg class="chart" viewBox="0 0 600 196" role="img" aria-label=${label}>
    ${ticks.map(
      (tick) => svg`<path class="c-axis" d=${`M${WEEKS.left} ${y(tick)}H${WEEKS.right}`}/>
      <text class="c-txt" x="32" y=${y(tick) + 5} text-anchor="end">${tick}</text>`,
    )}
    <path class="c-band" d=${band}></path>
    <path class="c-base c-base--path" d=${`M${line(weeks, ({ told }) => told)}`}></path>
    <path class="c-line" d=${`M${line(weeks, ({ observed }) => observed)}`}></path>
    <circle class="c-dot" cx=${x(last)} cy=${y(last.observed)} r="6"></circle>
    <text class="c-txt" x=${WEEKS.left} y="188">${shortDate(weeks[0].day)}</text>
    <text class="c-txt" x=${WEEKS.right} y="188" text-anchor="end">${shortDate(last.day)}</text>
  </svg>`;
}

/** A risk in 100, or a dash where there is none. */
export const risk100 = (p) => (p === null || p === undefined ? "–" : in100(p));
