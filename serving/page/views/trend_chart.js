// A line over visits, with the whiskers of each value.
import { fixed } from "../lib/number_format.js";
import { html, nothing, svg } from "../vendor/lit-html.js";

// The plot inside a box of 320 by 160.
const PLOT = { left: 40, right: 314, top: 15, bottom: 130 };
const FIRST_X = 58;
const LINE_WIDTH = 232;
/** Dates closer than this would run into each other; with more visits only the ends are named. */
const LABEL_WIDTH = 46;
const MAX_LABELS = 5;

/**
 * A line over visits.
 *
 * `rows` are {date, label, y, low, high}; `band` is what error alone may do around the first value;
 * `floor` a fixed lower end.
 */
export function trend({ rows, band = null, floor = null, label, format = null }) {
  const { min, max, room } = range(rows, band, floor);
  const digits = max - min >= 10 ? 0 : max - min >= 1 ? 1 : 2;
  const tick = format ?? ((number) => fixed(number, digits));
  const x = horizontal(rows);
  const y = (number) => PLOT.bottom - ((PLOT.bottom - PLOT.top) * (number - min)) / (max - min);
  const rest = floor === null ? room : 0;
  return html`<svg viewBox="0 0 320 160" role="img" aria-label=${label}>
    ${band ? bandBox(band, y) : nothing}
    <path class="c-axis" d="M40 12V130H314"></path>
    ${whiskers(rows, x, y)}
    <path class="c-line" d=${rows.map((row, i) => `${i ? "L" : "M"}${x(i)} ${y(row.y)}`).join("")}>
    </path>
    <g class="c-dot">${rows.map((row, i) => svg`<circle cx=${x(i)} cy=${y(row.y)} r="5"/>`)}</g>
    <g class="c-txt" text-anchor="end">
      <text x="34" y="20">${tick(max - rest)}</text><text x="34" y="130">${tick(min + rest)}</text>
    </g>
    <g class="c-txt" text-anchor="middle">${dates(rows, x)}</g>
  </svg>`;
}

function range(rows, band, floor) {
  const numbers = rows.flatMap((row) => [row.low ?? row.y, row.high ?? row.y]).concat(band ?? []);
  const min = floor ?? Math.min(...numbers);
  const max = Math.max(...numbers);
  const room = (max - min) * 0.12 || 1;
  return { min: floor === null ? min - room : min, max: max + room, room };
}

function horizontal(rows) {
  const times = rows.map((row) => Date.parse(row.date));
  const span = times.at(-1) - times[0] || 1;
  return (i) => FIRST_X + (LINE_WIDTH * (times[i] - times[0])) / span;
}

const bandBox = ([low, high], y) =>
  svg`<rect class="c-mdc" x=${PLOT.left} width=${PLOT.right - PLOT.left} y=${y(high)}
    height=${Math.max(y(low) - y(high), 1)}/>`;

const whiskers = (rows, x, y) =>
  rows.map((row, i) =>
    row.low === undefined
      ? nothing
      : svg`<path class="c-err" d=${`M${x(i)} ${y(row.low)}V${y(row.high)}`}/>`,
  );

function dates(rows, x) {
  const last = rows.length - 1;
  const isFree = (i) => x(i) - x(0) > LABEL_WIDTH && x(last) - x(i) > LABEL_WIDTH;
  const isShown = (i) => i === 0 || i === last || (isFree(i) && rows.length <= MAX_LABELS);
  const inside = (position) => Math.min(Math.max(position, 60), 290);
  return rows.map((row, i) =>
    isShown(i) ? svg`<text x=${inside(x(i))} y="150">${row.label}</text>` : nothing,
  );
}
