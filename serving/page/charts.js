// Small charts, each drawn by one function; places are attributes in per cent, never styles.
import { html, svg, nothing } from "./vendor/lit-html.js";
import { fixed, in100, interval, points } from "./words.js";

/** The right end of every risk axis, in 100: the same for everybody, so that bars compare. */
export const AXIS_END = 40;
const STRIP_END = 3;

const clamp = (x, low, high) => Math.min(Math.max(x, low), high);
const onAxis = (p) => clamp((100 * 100 * p) / AXIS_END, 0, 100);
const pc = (x) => `${x.toFixed(2)}%`;

/** A risk: track, interval, base rate, point. `open` hatches it: too little is known. */
export function riskBar(risk, base, { calm = false, open = false, label = null } = {}) {
  const [low, high] = risk.interval.map(onAxis);
  const beyond = risk.interval[1] * 100 > AXIS_END;
  const fill = open ? "c-int c-int--open" : calm ? "c-int c-int--calm" : "c-int";
  return html`<svg class="bar" role=${label ? "img" : "presentation"} aria-label=${label ?? nothing} aria-hidden=${label ? nothing : "true"}>
    <rect class="c-track" y="5" width="100%" height="16" rx="4"></rect>
    <rect class=${fill} x=${pc(low)} y="5" width=${pc(Math.max(high - low, 0.5))} height="16" rx="4"></rect>
    ${beyond ? svg`<svg x="100%" y="5" width="1" height="16" overflow="visible"><path class="c-more" d="M10 3L15 8L10 13"/></svg>` : nothing}
    ${base ? svg`<line class="c-base" x1=${pc(onAxis(base))} x2=${pc(onAxis(base))} y1="0" y2="26"/>` : nothing}
    <circle class=${calm ? "c-pt c-pt--calm" : "c-pt"} cx=${pc(onAxis(risk.probability))} cy="13" r="8"></circle>
  </svg>`;
}

export const axis = () => html`<div class="ticks num" aria-hidden="true">${[0, 10, 20, 30, 40].map((x) => html`<span>${x}</span>`)}</div>`;

export const beyondAxis = (risk) =>
  risk && risk.interval[1] * 100 > AXIS_END ? `The scale ends at ${AXIS_END}; the interval goes on to ${in100(risk.interval[1])}.` : "";

/** 100 dots: filled for the estimate, rings up to the end of the interval. */
export function dots(risk, calm) {
  const filled = Math.round(100 * risk.probability), ringed = Math.round(100 * risk.interval[1]);
  const kind = (i) => (i < filled ? "d-on" : i < ringed ? "d-may" : "d-off");
  const label = `100 dots: ${filled} filled, ${Math.max(ringed - filled, 0)} more ringed up to the end of the interval`;
  return html`<svg class=${calm ? "dots__in dots__in--calm" : "dots__in"} viewBox="0 0 200 50" role="img" aria-label=${label}>
    ${Array.from({ length: 100 }, (_, i) => svg`<circle class=${kind(i)} cx=${5 + 10 * (i % 20)} cy=${5 + 10 * Math.floor(i / 20)} r=${kind(i) === "d-off" ? 2.4 : 3.6}/>`)}
  </svg>`;
}

/** The chance of a pattern, 0 to 100, with the range it could end up in. */
export function chanceBar(one) {
  const [low, high] = one.interval.map((p) => clamp(100 * p, 0, 100));
  const calm = one.status === "not_supported", open = one.status === "cannot_tell";
  const fill = open ? "c-int c-int--open" : calm ? "c-int c-int--calm" : "c-int";
  return html`<svg class="bar" aria-hidden="true">
    <rect class="c-track" y="7" width="100%" height="12" rx="4"></rect>
    <rect class=${fill} x=${pc(low)} y="7" width=${pc(Math.max(high - low, 0.5))} height="12" rx="4"></rect>
    ${open ? nothing : svg`<circle class=${calm ? "c-pt c-pt--calm" : "c-pt"} cx=${pc(100 * one.probability)} cy="13" r="7"/>`}
  </svg>`;
}

/** A value in SDs from typical, with the whisker of its measurement error. */
export function strip(row) {
  const at = (z) => pc((100 * (clamp(z, -STRIP_END, STRIP_END) + STRIP_END)) / (2 * STRIP_END));
  const off = row.typical.sd ? row.error / row.typical.sd : 0;
  const label = `${fixed(row.z, 1)} standard deviations from typical, give or take ${fixed(off, 1)}`;
  return html`<svg class="bar" role="img" aria-label=${label}>
    <rect class="c-norm" x=${at(-1)} y="4" width="33.33%" height="18"></rect>
    <line class="c-zero" x1="50%" x2="50%" y1="0" y2="26"></line>
    <line class="c-err" x1=${at(row.z - off)} x2=${at(row.z + off)} y1="13" y2="13"></line>
    <circle class="c-dot" cx=${at(row.z)} cy="13" r="6"></circle>
  </svg>`;
}

/** What one driver adds or takes, around a zero that all bars of the chart share. */
export function pushBar(x, least, most) {
  const span = most - least || 1;
  const zero = (100 * -least) / span, size = (100 * Math.abs(x)) / span;
  return html`<svg aria-hidden="true">
    <line class="c-zero" x1=${pc(zero)} x2=${pc(zero)} y1="0" y2="40"></line>
    <rect class=${x > 0 ? "c-up" : "c-down"} x=${pc(x > 0 ? zero : zero - size)} y="11" width=${pc(Math.max(size, 0.4))} height="18" rx="3"></rect>
  </svg>`;
}

/**
 * A line over visits: points {date, label, y, low, high}; `band` is what error alone may do around
 * the first value; `base` a dashed line.
 */
export function trend({ rows, band = null, base = null, floor = null, label, format = null }) {
  const all = rows.flatMap((r) => [r.low ?? r.y, r.high ?? r.y]).concat(band ?? [], base ?? []);
  let least = floor ?? Math.min(...all), most = Math.max(...all);
  const room = (most - least) * 0.12 || 1;
  if (floor === null) least -= room;
  most += room;
  const digits = most - least >= 10 ? 0 : most - least >= 1 ? 1 : 2, tick = format ?? ((v) => fixed(v, digits));
  const times = rows.map((r) => Date.parse(r.date));
  const first = times[0], long = times.at(-1) - first || 1;
  const x = (i) => 58 + (232 * (times[i] - first)) / long;
  const y = (v) => 130 - (115 * (v - least)) / (most - least);
  const show = (i) => i === 0 || i === rows.length - 1 || (x(i) - x(0) > 46 && x(rows.length - 1) - x(i) > 46 && rows.length < 6);
  return html`<svg viewBox="0 0 320 160" role="img" aria-label=${label}>
    ${band ? svg`<rect class="c-mdc" x="40" width="274" y=${y(band[1])} height=${Math.max(y(band[0]) - y(band[1]), 1)}/>` : nothing}
    <path class="c-axis" d="M40 12V130H314"></path>
    ${base === null ? nothing : svg`<line class="c-base" x1="40" x2="314" y1=${y(base)} y2=${y(base)}/>`}
    ${rows.map((r, i) => (r.low === undefined ? nothing : svg`<path class="c-err" d=${`M${x(i)} ${y(r.low)}V${y(r.high)}`}/>`))}
    <path class="c-line" d=${rows.map((r, i) => `${i ? "L" : "M"}${x(i)} ${y(r.y)}`).join("")}></path>
    <g class="c-dot">${rows.map((r, i) => svg`<circle cx=${x(i)} cy=${y(r.y)} r="5"/>`)}</g>
    <g class="c-txt" text-anchor="end"><text x="34" y="20">${tick(most - (floor === null ? room : 0))}</text><text x="34" y="130">${tick(least + (floor === null ? room : 0))}</text></g>
    <g class="c-txt" text-anchor="middle">${rows.map((r, i) => (show(i) ? svg`<text x=${clamp(x(i), 60, 290)} y="150">${r.label}</text>` : nothing))}</g>
  </svg>`;
}

export const riskWords = (risk) => `${in100(risk.probability)} in 100, 90 % interval ${interval(risk.interval)}`;
export { points };
