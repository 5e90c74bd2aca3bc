// Both legs from the front, coloured where a pattern points; right on the viewer's left.
import { html, svg, nothing } from "./vendor/lit-html.js";
import { PATTERN, SIDES, SIDE, list, raised } from "./words.js";

// The words of each label, and how far below the start of its line it stands.
const LABELS = {
  glute_underactivity: [["Hip, glutes", 0], ["IT band", 0]],
  hamstring_dominance: [["Quads, hamstrings", 14]],
  vmo_inhibition: [["Inner, quad", 40]],
  adductor_underactivity: [["Adductors", -10]],
  calf_tightness: [["Calf", 0]],
};
const ORDER = { clear: 3, possible: 2, cannot_tell: 1, not_supported: 0 };
const CLASS = { clear: "2", possible: "1", cannot_tell: "u" };

function painted(imbalances, drawing) {
  const best = {};
  for (const one of imbalances) {
    for (const muscle of drawing.imbalances[one.name]?.muscles ?? []) {
      if (!(muscle in best) || ORDER[one.status] > ORDER[best[muscle]]) best[muscle] = one.status;
    }
  }
  return Object.entries(best)
    .filter(([, status]) => CLASS[status])
    .map(([muscle, status]) => `${muscle}-${CLASS[status]}`)
    .join(" ");
}

function ring(answer, side) {
  const risk = answer.risk[side];
  if (!risk || answer.risk.status === "low_information") return "";
  return raised(risk.band) ? "knee-2" : "knee-1";
}

/** The outline of a right leg: each muscle takes its colour from a class on the <use>. */
function symbol({ width, height, knee, shapes }) {
  return svg`<symbol id="leg" viewBox=${`0 0 ${width} ${height}`} overflow="visible">
    ${shapes.map(({ part, path }) => svg`${part === "kneecap" ? svg`<circle class="m-knee" cx=${knee.x} cy=${knee.y} r=${knee.radius}/>` : nothing}<path class=${`m m-${part}`} d=${path}/>`)}
  </symbol>`;
}

function labels(side, named, drawing) {
  const right = side === "right";
  return named.flatMap((one) => LABELS[one.name]?.map(([name, below], k) => {
    const [x, y] = drawing.imbalances[one.name].labels[k], at = y + below;
    const end = right ? 60 + x : 380 - x, text = right ? 52 : 388, start = right ? 58 : 382;
    const words = name.split(", ");
    return svg`<path class="lead" d=${`M${start} ${at + 14}L${end} ${y + 14}`}/><circle class="lead-end" cx=${end} cy=${y + 14} r="3.5"/>
      <g class="c-leg" text-anchor=${right ? "end" : "start"}>${words.map((word, i) => svg`<text class=${one.status === "clear" ? "c-txt--b" : ""} x=${text} y=${at + 19 + 21 * i}>${word}</text>`)}</g>`;
  }) ?? []);
}

function told(side, imbalances) {
  const of = (status) => imbalances.filter((one) => one.status === status).map((one) => one.label.toLowerCase());
  const parts = Object.keys(PATTERN).slice(0, 2).filter((s) => of(s).length).map((s) => `${PATTERN[s].toLowerCase()} of ${list(of(s))}`);
  const open = of("cannot_tell").length;
  if (open) parts.push(`${open} of ${imbalances.length} patterns can’t be told`);
  return `${SIDE[side]} leg: ${parts.length ? parts.join("; ") : "no pattern"}.`;
}

/** The figure, with a legend, and a description for those who don't see it. */
export function legs(answer, drawing) {
  const all = answer.imbalances ?? [];
  const of = Object.fromEntries(SIDES.map((side) => [side, all.filter((one) => one.side === side)]));
  const named = (side) => of[side].filter((one) => one.status === "clear" || one.status === "possible");
  const left = named("right").length ? -62 : 20, right = named("left").length ? 502 : 420;
  const description = all.length ? SIDES.map((side) => told(side, of[side])).join(" ") : "No pattern is judged.";
  return html`<figure class="card legs">
    <svg viewBox=${`${left} 4 ${right - left} 610`} role="img" aria-label=${`Both legs from the front. ${description}`}>
      <defs>${symbol(drawing)}</defs>
      <use href="#leg" x="60" y="14" width="160" height="560" class=${`${painted(of.right, drawing)} ${ring(answer, "right")}`}></use>
      <use href="#leg" width="160" height="560" transform="translate(380 14) scale(-1 1)" class=${`${painted(of.left, drawing)} ${ring(answer, "left")}`}></use>
      ${SIDES.map((side) => labels(side, named(side), drawing))}
      <g class="c-leg" text-anchor="middle"><text class="c-txt--b" x="150" y="604">Right</text><text class="c-txt--b" x="290" y="604">Left</text></g>
    </svg>
    <figcaption>${all.length
      ? html`<ul class="legend"><li><span class="sw sw--2"></span>Clear pattern</li><li><span class="sw sw--1"></span>Possible</li><li><span class="sw"></span>No pattern</li><li><span class="sw sw--u"></span>Can’t tell</li></ul>`
      : nothing}</figcaption>
  </figure>`;
}
