// The patterns of each leg: the ones that are named, on the drawing; and all five, ranked, with the
// measured values for and against each.
import {
  again,
  capitalized,
  degreeSign,
  fixed,
  in100,
  inSentence,
  inTen,
  list,
  short,
  value,
  withUnit,
} from "../lib/number_format.js";
import { text, variant } from "../lib/texts.js";
import { grade, legName, pattern, sideName, SIDES } from "../lib/wording.js";
import { html, nothing } from "../vendor/lit-html.js";
import { chanceBar, tenDots, zStrip } from "./charts.js";
import { fold } from "./folds.js";
import { legFigure, swatch } from "./leg_figure.js";

const STATUS_RANK = { clear: 0, possible: 1, not_supported: 2, cannot_tell: 3 };

const byRank = (a, b) => STATUS_RANK[a.status] - STATUS_RANK[b.status];
const isNamed = ({ status }) => status === "clear" || status === "possible";

const ofSide = ({ imbalances }, side) =>
  (imbalances ?? []).filter((imbalance) => imbalance.side === side);

/** The card with the drawing of the legs, and the pattern that is named on each. */
export function patternCard(answer, drawing) {
  if (!answer.imbalances?.length) return nothing;
  return html`<section class="card pattern" aria-labelledby="h-pattern">
    <h2 id="h-pattern">${text("page.pattern.heading")}</h2>
    <div class="pattern__in">${legFigure(answer, drawing)}
      <div>${SIDES.map((side) => legSummary(answer, side))}</div></div></section>`;
}

function legSummary(answer, side) {
  const all = ofSide(answer, side);
  const named = all.filter(isNamed).sort(byRank);
  const open = all.filter(({ status }) => status === "cannot_tell").length;
  const untold = open ? text("page.pattern.untold", { count: open, all: all.length }) : "";
  if (!named.length) {
    const title = text("page.pattern.none_named", { side: sideName(side) });
    return html`<div class="pattern__leg"><h3>${title}</h3>
      <p class="small quiet">${untold || text("page.pattern.none_fits")}</p></div>`;
  }
  return html`<div class="pattern__leg">${named.map((one) => namedPattern(one))}
    ${untold ? html`<p class="small quiet">${untold}</p>` : nothing}</div>`;
}

function namedPattern(imbalance) {
  const title = text("page.titled", {
    title: sideName(imbalance.side),
    name: inSentence(short(imbalance.label)),
  });
  return html`<h3>${swatch(imbalance.status)} ${title}</h3><p class="small">${evidenceFor(imbalance)}
    ${imbalance.named_again === undefined ? nothing : namedAgain(imbalance.named_again)}</p>`;
}

const namedAgain = (p) => text("page.pattern.named_again", { count: inTen(p) });

// "Hip drop and Ober test speak for it, ankle bend against."
function evidenceFor({ pattern: rows }) {
  const labels = (direction) =>
    list(
      rows
        .filter(({ speaks }) => speaks === direction)
        .map(({ label }) => inSentence(short(label))),
    );
  const [pro, contra] = [labels("for"), labels("against")];
  if (!pro) return "";
  return contra
    ? text("page.pattern.for_and_against", { for: capitalized(pro), against: contra })
    : text("page.pattern.for_only", { for: capitalized(pro) });
}

/** The fold with all five patterns of each leg. */
export function patternsFold(answer) {
  if (!answer.imbalances?.length) return nothing;
  const result = SIDES.map((side) => {
    const named = ofSide(answer, side).filter(isNamed).sort(byRank);
    const labels = list(named.map(({ label }) => inSentence(short(label))));
    const name = labels || text("page.pattern.none");
    return text("page.titled", { title: sideName(side), name });
  });
  const body = html`<p>${text("page.pattern.explanation")}</p>
    <div class="two">${SIDES.map((side) => legCard(answer, side, ofSide(answer, side)))}</div>`;
  return fold("a-patterns", text("page.pattern.all"), result.join(" · "), body);
}

function legCard(answer, side, imbalances) {
  const sorted = [...imbalances].sort((a, b) => byRank(a, b) || b.probability - a.probability);
  const likely = answer.likely?.find((verdict) => verdict.side === side);
  const id = `h-imb-${side}`;
  return html`<section class="imbs" aria-labelledby=${id}>
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
  return html`<details class="imb">
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
    <p class="small quiet">${text("page.pattern.table.key")}</p>`;
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
