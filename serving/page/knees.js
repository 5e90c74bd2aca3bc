// The risk of each knee, as a card; and the line of what holds for both.
import { html, nothing } from "./vendor/lit-html.js";
import { axis, beyondAxis, dots, riskBar, riskWords } from "./charts.js";
import { BAND, BAND_RULE, SIDE, SIDES, in100, interval, outcome, people, points, raised, typicalOne } from "./words.js";

/** The knees to show: both where the model tells them apart, else either. */
export const knees = (risk) => (risk.left || risk.right || !risk.either ? SIDES : ["either"]);

export const baseOf = (risk, knee) => (knee === "either" ? risk.base_rate.either : risk.base_rate.leg);
const name = (knee) => `${SIDE[knee]} knee`;

export function bandTag(risk, quiet = false) {
  const tone = quiet ? "tag" : raised(risk.band) ? "tag tag--up" : "tag tag--down";
  return html`<span class=${tone} title=${BAND_RULE[risk.band]}>${BAND[risk.band]}</span>`;
}

/** Why a knee has no risk: it hurts now, or the whole answer is about something else. */
export const hurts = (answer, side) =>
  answer.risk.reasons.some((r) => r.code === "current_pain" && r.column === `${side}_pain_nrs`);

export function kneeCard(answer, knee, sport) {
  const risk = answer.risk[knee];
  if (!risk) return painCard(answer, knee);
  const calm = !raised(risk.band), open = answer.risk.status === "low_information";
  const { one, many, what, when } = outcome(answer.risk);
  const count = in100(risk.probability);
  const label = `${name(knee)}: ${riskWords(risk)}; ${people(sport)} in general ${in100(baseOf(answer.risk, knee) ?? 0)}`;
  const [low, high] = risk.interval.map(in100);
  return html`<article class="card knee" aria-labelledby=${`k-${knee}`}>
    <div class="knee__top"><h2 id=${`k-${knee}`}>${name(knee)}</h2>${bandTag(risk, open)}</div>
    <p class="knee__big"><b class="num">${count}</b> in 100 ${people(sport)} like this</p>
    <p class="knee__int num">90 % interval ${interval(risk.interval)}</p>
    ${riskBar(risk, baseOf(answer.risk, knee), { calm, open, label })}${axis()}
    <figure class="dots">${dots(risk, calm)}
      <figcaption>Of 100 ${people(sport)} who measure like this, about ${count} ${count === "1" ? one : many} ${what} ${knee === "either" ? "either knee" : `the ${knee} knee`}${when}. It may be as few as ${low} or as many as ${high} (rings). ${beyondAxis(risk)}</figcaption></figure>
    ${mostly(answer, knee, sport)}
  </article>`;
}

function mostly(answer, knee, sport) {
  const own = answer.drivers.filter((d) => d.side === knee && Math.abs(d.points) >= 0.05).slice(0, 3);
  if (!own.length) return nothing;
  return html`<div class="knee__why"><h3>Mostly from</h3>
    <ul class="why3 num">${own.map((d) => html`<li><span>${d.label}</span><b>${points(d.points)}</b></li>`)}</ul>
    <p class="small quiet">Risk points, against ${typicalOne(sport)} (${in100(answer.risk[knee].typical_probability ?? 0)} in 100)</p></div>`;
}

function painCard(answer, knee) {
  const pain = hurts(answer, knee);
  return html`<article class="card knee" aria-labelledby=${`k-${knee}`}>
    <div class="knee__top"><h2 id=${`k-${knee}`}>${name(knee)}</h2><span class="tag">${pain ? "Hurts now" : "No risk given"}</span></div>
    <p class="knee__big">${pain ? "No risk of new pain" : "No risk"}</p>
    <p class="quiet">${pain ? "This knee hurts already, so a risk of new pain in it has no meaning. Patterns and advice below still hold." : "The model does not tell the knees apart."}</p>
  </article>`;
}

/** The line under the cards: either knee, the base rates in both units, what counts. */
export function eitherLine(answer, sport) {
  const { either, base_rate: base } = answer.risk;
  const { title, when } = outcome(answer.risk);
  const who = people(sport);
  return html`<dl class="either num">
    ${either ? html`<div><dt>Either knee</dt><dd>${in100(either.probability)} in 100 <span>(${interval(either.interval)})</span></dd></div>` : nothing}
    <div><dt>${who[0].toUpperCase() + who.slice(1)} in general (dashed line)</dt>
      <dd>${base.leg != null ? html`${in100(base.leg)} per knee` : nothing}${base.leg != null && base.either != null ? " · " : ""}${base.either != null ? html`<span>${in100(base.either)} either knee</span>` : nothing}</dd></div>
    <div><dt>What the risk is of</dt><dd><span>${title}${when}</span></dd></div>
  </dl>`;
}
