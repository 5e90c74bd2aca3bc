// The five patterns of each leg, ranked, each with the measured values for and against it.
import { html, nothing } from "./vendor/lit-html.js";
import { chanceBar, strip } from "./charts.js";
import { GRADE, PATTERN, SIDE, SIDES, fixed, in100, interval, site, unit, value, withUnit } from "./words.js";

const RANK = { clear: 0, possible: 1, not_supported: 2, cannot_tell: 3 };

export function patterns(answer) {
  const all = answer.imbalances ?? [];
  if (!all.length) return nothing;
  return html`<section class="section" id="a-patterns" aria-labelledby="h-imb">
    <h2 id="h-imb">Muscle patterns</h2>
    <p>The chance, in 100, that each of the five patterns is present, given the measured values. Each is judged on its own, so they do not add up. The band shows where the chance could end up if every value were known exactly.</p>
    <div class="two">${SIDES.map((side) => leg(answer, side, all.filter((one) => one.side === side)))}</div>
  </section>`;
}

function leg(answer, side, own) {
  const sorted = [...own].sort((a, b) => RANK[a.status] - RANK[b.status] || b.probability - a.probability);
  const verdict = answer.likely?.find((one) => one.side === side);
  let rank = 0;
  return html`<section class="card imbs" aria-labelledby=${`h-imb-${side}`}>
    <h3 id=${`h-imb-${side}`}>${SIDE[side]} leg</h3>
    ${verdict ? html`<p class="verdict">${verdict.message}</p>` : nothing}
    ${sorted.map((one) => item(one, one.status === "cannot_tell" ? "?" : one.status === "not_supported" ? "–" : (rank += 1)))}
  </section>`;
}

function item(one, rank) {
  const told = one.status === "cannot_tell" ? html`open` : in100(one.probability);
  return html`<details class="imb" ?open=${one.status === "clear"}>
    <summary><span class="imb__rank" aria-hidden="true">${rank}</span>
      <span class="imb__name">${one.label}<span>${PATTERN[one.status]}. Would show ${site(one.usual_site)}</span></span>
      <span class="imb__p num">${told}<span class="vh">${one.status === "cannot_tell" ? "," : " in 100,"}</span> <span>${interval(one.interval)}</span></span>
      ${chanceBar(one)}</summary>
    <div class="imb__body"><p>${one.wording}</p>
      ${one.pattern.length ? table(one) : html`<p class="small quiet">None of its measures was taken on this leg.</p>`}
      <p class="small quiet">Evidence for this pattern in knee pain: ${(GRADE[one.evidence_grade]?.[0] ?? one.evidence_grade).toLowerCase()}.</p>
    </div>
  </details>`;
}

const SIGN = { for: ["+", "For", ""], against: ["−", "Against", " sign--no"], neither: ["=", "Neither", " sign--q"] };

function table(one) {
  const order = { for: 0, against: 1, neither: 2 };
  const rows = [...one.pattern].sort((a, b) => order[a.speaks] - order[b.speaks] || Math.abs(b.z) - Math.abs(a.z));
  return html`<table class="ev num"><caption class="vh">Measured values for and against: ${one.label}, ${one.side} leg</caption>
    <thead><tr><th scope="col">Measure</th><th scope="col">Value</th><th scope="col">SDs from typical, −3 to +3</th></tr></thead>
    <tbody>${rows.map(evidence)}</tbody></table>
    <p class="small quiet key">Grey: typical range. Line: measurement error; where it crosses the grey box’s edge, the reading may be typical.</p>`;
}

function evidence(row) {
  const [sign, word, kind] = SIGN[row.speaks];
  const digits = row.typical.sd >= 2 ? 1 : 2;
  const sides = row.side_difference === undefined ? nothing
    : html`<small>${Math.abs(row.side_difference) < 1e-9 ? "Same as the other leg" : html`${value(Math.abs(row.side_difference))}${unit(row.unit) === "°" ? "°" : ""} ${row.side_difference > 0 ? "above" : "below"} the other leg: ${row.side_difference_beyond_error ? "beyond error" : "within error"}`}</small>`;
  return html`<tr><th scope="row"><span class=${`sign${kind}`} aria-hidden="true">${sign}</span><span><span class="vh">${word}: </span>${row.label}${sides}</span></th>
    <td>${withUnit(row.value, row.unit)}<small>${fixed(row.typical.mean, digits)} ± ${fixed(row.typical.sd, digits)}${row.typical.source.startsWith("assumption") ? ", assumed" : ""}</small></td>
    <td class="z">${strip(row)}</td></tr>`;
}
