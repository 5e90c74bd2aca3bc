// Small charts, each drawn by one function; positions are attributes in per cent, never styles.
import { fixed, in100 } from "../lib/number_format.js";
import { text } from "../lib/texts.js";
import { html, nothing, svg } from "../vendor/lit-html.js";

/** The right end of every risk axis, in 100: the same for everybody, so that bars compare. */
export const AXIS_END = 40;
const STRIP_END = 3;

const clamp = (x, low, high) => Math.min(Math.max(x, low), high);
const onAxis = (p) => clamp((100 * 100 * p) / AXIS_END, 0, 100);
const percent = (x) => `${x.toFixed(2)}%`;
const width = (low, high) => percent(Math.max(high - low, 0.5));

const intervalClass = (isCalm, isOpen) => {
  if (isOpen) return "c-int c-int--open";
  return isCalm ? "c-int c-int--calm" : "c-int";
};
const pointClass = (isCalm, isOpen) => {
  if (isOpen) return "c-pt c-pt--open";
  return isCalm ? "c-pt c-pt--calm" : "c-pt";
};

const goesBeyondAxis = (risk) => risk.interval[1] * 100 > AXIS_END;

// The bar runs on: past the end of its track, with an arrow.
const RUNS_ON = svg`<svg x="100%" y="5" width="1" height="16" overflow="visible">
  <path d="M-6 0H4L12 8L4 16H-6Z"/></svg>`;

/** An estimate: a dot on the axis, an arrow at its end where it lies beyond. */
function estimate(p, kind) {
  if (100 * p <= AXIS_END) {
    return svg`<circle class=${kind} cx=${percent(onAxis(p))} cy="13" r="8"/>`;
  }
  return svg`<svg x="100%" y="3" width="1" height="20" overflow="visible">
    <path class=${kind} d="M-10 0L8 10L-10 20Z"/></svg>`;
}

const baseLine = (base) => {
  const x = percent(onAxis(base));
  return svg`<line class="c-base" x1=${x} x2=${x} y1="0" y2="26"/>`;
};

/** A risk: track, interval, base rate, point. `isOpen` hatches it: too little is known. */
export function riskBar(risk, base, { isCalm = false, isOpen = false, label = null } = {}) {
  const [low, high] = risk.interval.map(onAxis);
  const kind = intervalClass(isCalm, isOpen);
  return html`<svg
    class="bar"
    role=${label ? "img" : "presentation"}
    aria-label=${label ?? nothing}
    aria-hidden=${label ? nothing : "true"}
  >
    <rect class="c-track" y="5" width="100%" height="16" rx="4"></rect>
    <g class=${kind}>
      <rect x=${percent(low)} y="5" width=${width(low, high)} height="16" rx="4"></rect>
      ${goesBeyondAxis(risk) ? RUNS_ON : nothing}
    </g>
    ${base ? baseLine(base) : nothing}
    ${estimate(risk.probability, pointClass(isCalm, isOpen))}
  </svg>`;
}

const TICKS = [0, 10, 20, 30, 40];
export const axis = () =>
  html`<div class="ticks num" aria-hidden="true">
    ${TICKS.map((x) => html`<span>${x}</span>`)}</div>`;

/** A sentence for an interval that does not fit on the axis. */
export const beyondAxis = (risk) =>
  risk && goesBeyondAxis(risk)
    ? text("page.risk.beyond_axis", { end: AXIS_END, high: in100(risk.interval[1]) })
    : "";

/** A share of 1, as a bar that fills. */
export const meter = (share, label = null) =>
  html`<svg class="meter" role=${label ? "img" : "presentation"} aria-label=${label ?? nothing}
    aria-hidden=${label ? nothing : "true"}>
    <rect class="c-track" width="100%" height="12" rx="6"></rect>
    <rect class="c-meter" width=${percent(100 * share)} height="12" rx="6"></rect></svg>`;

/** 100 dots: filled for the estimate, rings up to the end of the interval. */
export function dots(risk, isCalm) {
  const filled = Math.round(100 * risk.probability);
  const ringed = Math.round(100 * risk.interval[1]);
  const kind = (i) => (i < filled ? "d-on" : i < ringed ? "d-may" : "d-off");
  const dot = (i) =>
    svg`<circle class=${kind(i)} cx=${5 + 10 * (i % 20)} cy=${5 + 10 * Math.floor(i / 20)}
      r=${kind(i) === "d-off" ? 2.4 : 3.6}/>`;
  const label = text("page.risk.dots", { filled, ringed: Math.max(ringed - filled, 0) });
  return html`<svg class=${isCalm ? "dots__in dots__in--calm" : "dots__in"} viewBox="0 0 200 50"
    role="img" aria-label=${label}>
    ${Array.from({ length: 100 }, (_, i) => dot(i))}
  </svg>`;
}

/** Where the width of an interval comes from: one bar, its parts in the order of the answer. */
export function widthBar(parts, label) {
  let start = 0;
  const part = ([source, share]) => {
    const x = start;
    start += 100 * share;
    return svg`<rect class=${`w-${source}`} x=${percent(x)} width=${percent(100 * share)}
      height="12"/>`;
  };
  return html`<svg class="width" role="img" aria-label=${label}>${parts.map(part)}</svg>`;
}

/** Ten dots: of ten repeats, those that would point to a pattern again are filled. */
export function tenDots(p) {
  const filled = Math.round(10 * p);
  const dot = (i) => svg`<circle class=${i < filled ? "t-on" : "t-off"} cx=${5 + 11 * i} cy="6"
    r="4"/>`;
  return html`<svg class="ten" viewBox="0 0 109 12" aria-hidden="true">
    ${Array.from({ length: 10 }, (_, i) => dot(i))}</svg>`;
}

/** The chance of a pattern, 0 to 100; hatched where it can't be told. */
export function chanceBar({ probability, status }) {
  const isCalm = status === "not_supported";
  const isOpen = status === "cannot_tell";
  const point = svg`<circle class=${pointClass(isCalm)} cx=${percent(100 * probability)}
    cy="13" r="7"/>`;
  return html`<svg class="bar" aria-hidden="true">
    <rect class="c-track" y="7" width="100%" height="12" rx="4"></rect>
    <rect class=${intervalClass(isCalm, isOpen)} y="7" height="12" rx="4"
      width=${isOpen ? "100%" : width(0, 100 * probability)}></rect>
    ${isOpen ? nothing : point}
  </svg>`;
}

/** A value in SDs from typical, with the whisker of its measurement error. */
export function zStrip(row) {
  const at = (z) =>
    percent((100 * (clamp(z, -STRIP_END, STRIP_END) + STRIP_END)) / (2 * STRIP_END));
  const error = row.typical.sd ? row.error / row.typical.sd : 0;
  const label = text("page.pattern.strip", { z: fixed(row.z, 1), error: fixed(error, 1) });
  return html`<svg class="bar" role="img" aria-label=${label}>
    <rect class="c-norm" x=${at(-1)} y="4" width="33.33%" height="18"></rect>
    <line class="c-zero" x1="50%" x2="50%" y1="0" y2="26"></line>
    <line class="c-err" x1=${at(row.z - error)} x2=${at(row.z + error)} y1="13" y2="13"></line>
    <circle class="c-dot" cx=${at(row.z)} cy="13" r="6"></circle>
  </svg>`;
}

/** What one driver adds or takes, around a zero that all bars of the chart share. */
export function contributionBar(x, min, max) {
  const span = max - min || 1;
  const zero = (100 * -min) / span;
  const size = (100 * Math.abs(x)) / span;
  const start = x > 0 ? zero : zero - size;
  return html`<svg aria-hidden="true">
    <line class="c-zero" x1=${percent(zero)} x2=${percent(zero)} y1="0" y2="40"></line>
    <rect class=${x > 0 ? "c-up" : "c-down"} x=${percent(start)} y="11"
      width=${percent(Math.max(size, 0.4))} height="18" rx="3"></rect>
  </svg>`;
}
