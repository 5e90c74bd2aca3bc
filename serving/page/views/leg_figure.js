// Both legs from the front, coloured where a pattern points; right on the viewer's left.
import { list } from "../lib/number_format.js";
import { text } from "../lib/texts.js";
import { isOpen, isRaised, legName, pattern, sideName, SIDES } from "../lib/wording.js";
import { html, nothing, svg } from "../vendor/lit-html.js";

const STRENGTH = { clear: 3, possible: 2, cannot_tell: 1, not_supported: 0 };
const MUSCLE_CLASS = { clear: "2", possible: "1", cannot_tell: "u" };

// Classes of the muscles; of two patterns about one muscle, the stronger counts.
function muscleClasses(imbalances, drawing) {
  const strongest = {};
  for (const { name, status } of imbalances) {
    for (const muscle of drawing.imbalances[name]?.muscles ?? []) {
      const isStronger = !(muscle in strongest) || STRENGTH[status] > STRENGTH[strongest[muscle]];
      if (isStronger) strongest[muscle] = status;
    }
  }
  return Object.entries(strongest)
    .filter(([, status]) => MUSCLE_CLASS[status])
    .map(([muscle, status]) => `${muscle}-${MUSCLE_CLASS[status]}`)
    .join(" ");
}

function kneeClass(answer, side) {
  const risk = answer.risk[side];
  if (!risk || isOpen(answer.risk, risk)) return "";
  return isRaised(risk.band) ? "knee-2" : "knee-1";
}

/** The outline of a right leg: each muscle takes its colour from a class on the <use>. */
function legSymbol({ width, height, knee, shapes }) {
  const ring = svg`<circle class="m-knee" cx=${knee.x} cy=${knee.y} r=${knee.radius}/>`;
  const shape = ({ part, path }) =>
    svg`${part === "kneecap" ? ring : nothing}<path class=${`m m-${part}`} d=${path}/>`;
  return svg`<symbol id="leg" viewBox=${`0 0 ${width} ${height}`} overflow="visible">
    ${shapes.map(shape)}</symbol>`;
}

function description(side, imbalances) {
  const labelsOf = (status) =>
    imbalances.filter((one) => one.status === status).map((one) => one.label.toLowerCase());
  const parts = ["clear", "possible"]
    .filter((status) => labelsOf(status).length)
    .map((status) =>
      text("page.legs.status_of", {
        status: pattern(status).toLowerCase(),
        patterns: list(labelsOf(status)),
      }),
    );
  const open = labelsOf("cannot_tell").length;
  if (open) parts.push(text("page.legs.open", { count: open, all: imbalances.length }));
  const findings = parts.length ? parts.join("; ") : text("page.legs.no_pattern");
  return text("page.legs.leg", { leg: legName(side), findings });
}

/** Both legs, with a description for those who don't see them. */
export function legFigure(answer, drawing) {
  const imbalances = answer.imbalances ?? [];
  const ofSide = (side) => imbalances.filter((imbalance) => imbalance.side === side);
  const findings = imbalances.length
    ? SIDES.map((side) => description(side, ofSide(side))).join(" ")
    : text("page.legs.not_judged");
  const classes = (side) => `${muscleClasses(ofSide(side), drawing)} ${kneeClass(answer, side)}`;
  return html`<figure class="legs"><svg viewBox="56 10 328 604" role="img"
      aria-label=${text("page.legs.description", { findings })}>
      <defs>${legSymbol(drawing)}</defs>
      <use href="#leg" x="60" y="14" width="160" height="560" class=${classes("right")}></use>
      <use href="#leg" width="160" height="560" transform="translate(380 14) scale(-1 1)"
        class=${classes("left")}></use>
      <g class="c-leg" text-anchor="middle">
        <text x="150" y="606">${sideName("right")}</text>
        <text x="290" y="606">${sideName("left")}</text></g>
    </svg></figure>`;
}

const SWATCHES = { clear: "sw sw--2", possible: "sw sw--1", cannot_tell: "sw sw--u" };

/** The colour of a status in the drawing, beside its words. */
export const swatch = (status) =>
  html`<span class=${SWATCHES[status] ?? "sw"} aria-hidden="true"></span>`;
