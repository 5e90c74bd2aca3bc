// The five patterns of each leg, ranked, each with the measured values for and against it.
import {
  again,
  capitalized,
  degreeSign,
  fixed,
  in100,
  value,
  withUnit,
} from "../lib/number_format.js";
import { text, variant } from "../lib/texts.js";
import { grade, legName, pattern, SIDES } from "../lib/wording.js";
import { html, nothing } from "../vendor/lit-html.js";
import { chanceBar, tenDots, zStrip } from "./charts.js";

const STATUS_RANK = { clear: 0, possible: 1, not_supported: 2, cannot_tell: 3 };

export function patternCards(answer) {
  const imbalances = answer.imbalances ?? [];
  if (!imbalances.length) return nothing;
  const ofSide = (side) => imbalances.filter((imbalance) => imbalance.side === side);
  return html`<section class="section" id="a-patterns" aria-labelledby="h-imb">
    <h2 id="h-imb">${text("shared.patterns.heading")}</h2>
    <p>${text("page.pattern.explanation")}</p>
    <div class="two">${SIDES.map((side) => legCard(answer, side, ofSide(side)))}</div>
  </section>`;
}

function legCard(answer, side, imbalances) {
  const sorted = [...imbalances].sort(
    (a, b) => STATUS_RANK[a.status] - STATUS_RANK[b.status] || b.probability - a.probability,
  );
  const likely = answer.likely?.find((verdict) => verdict.side === side);
  const id = `h-imb-${side}`;
  return html`<section class="card imbs" aria-labelledby=${id}>
    <h3 id=${id}>${legName(side)}</h3>
    ${likely ? html`<p class="verdict">${likely.message}</p>` : nothing}
    ${sorted.map((imbalance, i) => patternItem(imbalance, rankMark(imbalance, i)))}
  </section>`;
}

// Those that count come first in the order, so a place in it is a rank.
function rankMark({ status }, place) {
  if (status === "cannot_tell") return "?";
  return status === "not_supported" ? "–" : place + 1;
}

function patternItem(imbalance, rank) {
  const { status, usual_site: site } = imbalance;
  const isOpen = status === "cannot_tell";
  const summary = text("page.pattern.summary", {
    status: pattern(status),
    site: variant("page.site", site) ?? site,
  });
  const chance = isOpen ? text("page.pattern.open") : in100(imbalance.probability);
  const evidence = grade(imbalance.evidence_grade).toLowerCase();
  return html`<details class="imb" ?open=${status === "clear"}>
    <summary><span class="imb__rank" aria-hidden="true">${rank}</span>
      <span class="imb__name">${imbalance.label}<span>${summary}</span></span>
      <span class="imb__p num">${chance}${
        isOpen ? nothing : html` <span>${text("page.pattern.in_100")}</span>`
      }</span>
      ${chanceBar(imbalance)} ${againLine(imbalance)}</summary>
    <div class="imb__body"><p>${imbalance.wording}</p>
      ${imbalance.pattern.length ? evidenceTable(imbalance) : noneMeasured()}
      <p class="small quiet">${text("page.pattern.evidence", { grade: evidence })}</p>
    </div>
  </details>`;
}

// How often the same tests, taken again, would point to it: where they do today.
const againLine = ({ named_again: p }) =>
  p === undefined
    ? nothing
    : html`<span class="imb__again num">${tenDots(p)} ${capitalized(again(p))}</span>`;

const noneMeasured = () => html`<p class="small quiet">${text("page.pattern.none_measured")}</p>`;

const DIRECTIONS = {
  for: { rank: 0, sign: "+", kind: "" },
  against: { rank: 1, sign: "−", kind: " sign--no" },
  neither: { rank: 2, sign: "=", kind: " sign--q" },
};

function evidenceTable(imbalance) {
  const rows = [...imbalance.pattern].sort(
    (a, b) =>
      DIRECTIONS[a.speaks].rank - DIRECTIONS[b.speaks].rank || Math.abs(b.z) - Math.abs(a.z),
  );
  const leg = legName(imbalance.side).toLowerCase();
  const caption = text("page.pattern.table.caption", { pattern: imbalance.label, leg });
  return html`<table class="ev num">
      <caption class="vh">${caption}</caption>
      <thead><tr>
        <th scope="col">${text("page.column.measure")}</th>
        <th scope="col">${text("page.column.value")}</th>
        <th scope="col">${text("page.pattern.table.z")}</th>
      </tr></thead>
      <tbody>${rows.map(evidenceRow)}</tbody></table>
    <p class="small quiet key">${text("page.pattern.table.key")}</p>`;
}

function evidenceRow(row) {
  const { sign, kind } = DIRECTIONS[row.speaks];
  const digits = row.typical.sd >= 2 ? 1 : 2;
  const norm = text("page.mean_and_sd", {
    mean: fixed(row.typical.mean, digits),
    sd: fixed(row.typical.sd, digits),
  });
  const isAssumed = row.typical.source.startsWith("assumption");
  const direction = variant("page.pattern.speaks", row.speaks);
  return html`<tr>
    <th scope="row"><span class=${`sign${kind}`} aria-hidden="true">${sign}</span><span>
      <span class="vh">${direction}: </span>${row.label}${sideDifference(row)}</span></th>
    <td>${withUnit(row.value, row.unit)}<small>${norm}${
      isAssumed ? `, ${text("page.assumed")}` : ""
    }</small></td>
    <td class="z">${zStrip(row)}</td></tr>`;
}

function sideDifference(row) {
  const { side_difference: difference } = row;
  if (difference === undefined) return nothing;
  if (Math.abs(difference) < 1e-9) return html`<small>${text("page.pattern.same_leg")}</small>`;
  const size = value(Math.abs(difference)) + degreeSign(row.unit);
  const reading = variant("page.error", row.side_difference_beyond_error ? "beyond" : "within");
  const sentence =
    difference > 0
      ? text("page.pattern.above_other_leg", { size, reading })
      : text("page.pattern.below_other_leg", { size, reading });
  return html`<small>${sentence}</small>`;
}
