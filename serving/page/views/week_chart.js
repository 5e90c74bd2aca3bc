// Weeks of training as bars: the last four, which the form asks for, stand out.
import { fixed, shortDate } from "../lib/number_format.js";
import { html, svg } from "../vendor/lit-html.js";

// The plot inside a box of 320 by 150; with few weeks the bars stay narrow.
const PLOT = { left: 34, right: 316, top: 14, bottom: 118 };
const WIDEST_STEP = 40;
const GAP = 0.22;
const RECENT = 4;

/** `weeks` are {first_day, last_day}, `heights` a number for each; `label` tells it all in words. */
export function weekChart({ weeks, heights, label }) {
  const most = Math.max(...heights, 1);
  const step = Math.min((PLOT.right - PLOT.left) / weeks.length, WIDEST_STEP);
  const start = PLOT.right - step * weeks.length;
  const x = (i) => start + step * i;
  const y = (height) => PLOT.bottom - ((PLOT.bottom - PLOT.top) * height) / most;
  const recent = heights.slice(-RECENT);
  const mean = recent.reduce((sum, height) => sum + height, 0) / RECENT;
  const from = x(weeks.length - recent.length);
  return html`<svg viewBox="0 0 320 150" role="img" aria-label=${label}>
    <path class="c-axis" d=${`M${PLOT.left} ${PLOT.top}H${PLOT.right}`}></path>
    ${weeks.map((_, i) => bar(x(i), step, y(heights[i]), i >= weeks.length - RECENT))}
    <path class="c-axis" d=${`M${PLOT.left} ${PLOT.bottom}H${PLOT.right}`}></path>
    <path class="c-base" d=${`M${from} ${y(mean)}H${PLOT.right}`}></path>
    <g class="c-txt" text-anchor="end">
      <text x="28" y=${PLOT.top + 4}>${fixed(most, most < 10 ? 1 : 0)}</text>
      <text x="28" y=${PLOT.bottom}>0</text></g>
    <g class="c-txt">
      <text x=${start} y="138">${shortDate(weeks[0].first_day)}</text>
      <text x=${PLOT.right} y="138" text-anchor="end">${shortDate(weeks.at(-1).last_day)}</text></g>
  </svg>`;
}

const bar = (x, step, top, isRecent) =>
  svg`<rect class=${isRecent ? "c-week c-week--recent" : "c-week"} x=${x + (step * GAP) / 2} y=${top}
    width=${step * (1 - GAP)} height=${Math.max(PLOT.bottom - top, 0)} rx="2"/>`;
