// Both legs from the front, coloured where a pattern points; right on the viewer's left.
import { list } from "../lib/number_format.js";
import { text, variant } from "../lib/texts.js";
import { isOpen, isRaised, legName, pattern, sideName, SIDES } from "../lib/wording.js";
import { html, nothing, svg } from "../vendor/lit-html.js";

// The labels of each pattern, and how far below the start of its line each stands. The outlines,
// and where a line ends on the leg, come from the service, which draws the report from them too.
const LABELS = {
  glute_underactivity: [
    { name: "hip", below: 0 },
    { name: "it_band", below: 0 },
  ],
  hamstring_dominance: [{ name: "thigh", below: 14 }],
  vmo_inhibition: [{ name: "vmo", below: 40 }],
  adductor_underactivity: [{ name: "adductors", below: -10 }],
  calf_tightness: [{ name: "calf", below: 0 }],
};
const STRENGTH = { clear: 3, possible: 2, cannot_tell: 1, not_supported: 0 };
const MUSCLE_CLASS = { clear: "2", possible: "1", cannot_tell: "u" };

const isNamed = ({ status }) => status === "clear" || status === "possible";

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

const labels = (side, imbalances, drawing) =>
  imbalances.flatMap(({ name, status }) =>
    (LABELS[name] ?? []).map((region, i) => {
      const place = drawing.imbalances[name].labels[i];
      return label(region, place, side, status === "clear");
    }),
  );

function label({ name, below }, [x, y], side, isBold) {
  const isRight = side === "right";
  const end = isRight ? 60 + x : 380 - x;
  const textX = isRight ? 52 : 388;
  const start = isRight ? 58 : 382;
  const textY = y + below;
  const line = (words, i) => svg`<text class=${isBold ? "c-txt--b" : ""} x=${textX}
    y=${textY + 19 + 21 * i}>${words}</text>`;
  return svg`<path class="lead" d=${`M${start} ${textY + 14}L${end} ${y + 14}`}/>
    <circle class="lead-end" cx=${end} cy=${y + 14} r="3.5"/>
    <g class="c-leg" text-anchor=${isRight ? "end" : "start"}>
      ${variant("page.legs.label", name).split(", ").map(line)}</g>`;
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

/** The figure, with a legend, and a description for those who don't see it. */
export function legFigure(answer, drawing) {
  const imbalances = answer.imbalances ?? [];
  const ofSide = (side) => imbalances.filter((imbalance) => imbalance.side === side);
  const named = (side) => ofSide(side).filter(isNamed);
  const left = named("right").length ? -62 : 20;
  const right = named("left").length ? 502 : 420;
  const findings = imbalances.length
    ? SIDES.map((side) => description(side, ofSide(side))).join(" ")
    : text("page.legs.not_judged");
  const classes = (side) => `${muscleClasses(ofSide(side), drawing)} ${kneeClass(answer, side)}`;
  return html`<figure class="card legs">
    <svg viewBox=${`${left} 4 ${right - left} 610`} role="img"
      aria-label=${text("page.legs.description", { findings })}>
      <defs>${legSymbol(drawing)}</defs>
      <use href="#leg" x="60" y="14" width="160" height="560" class=${classes("right")}></use>
      <use href="#leg" width="160" height="560" transform="translate(380 14) scale(-1 1)"
        class=${classes("left")}></use>
      ${SIDES.map((side) => labels(side, named(side), drawing))}
      <g class="c-leg" text-anchor="middle">
        <text class="c-txt--b" x="150" y="604">${sideName("right")}</text>
        <text class="c-txt--b" x="290" y="604">${sideName("left")}</text></g>
    </svg>
    <figcaption>${imbalances.length ? legend() : nothing}</figcaption>
  </figure>`;
}

const SWATCHES = [
  ["clear", "sw sw--2"],
  ["possible", "sw sw--1"],
  ["none", "sw"],
  ["cannot_tell", "sw sw--u"],
];
const legend = () =>
  html`<ul class="legend">${SWATCHES.map(
    ([status, kind]) =>
      html`<li><span class=${kind}></span>${pattern(status) ?? text("page.legs.none")}</li>`,
  )}</ul>`;
