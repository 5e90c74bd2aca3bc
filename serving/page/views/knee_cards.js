// The risk of each knee, as a card; and the line with what holds for both.
import { capitalized, in100, interval, points } from "../lib/number_format.js";
import { text, variant } from "../lib/texts.js";
import * as wording from "../lib/wording.js";
import { html, nothing } from "../vendor/lit-html.js";
import { axis, beyondAxis, dots, riskBar } from "./charts.js";

/** The knees to show: both where the model tells them apart, else either. */
export const kneesOf = (risk) =>
  risk.left || risk.right || !risk.either ? wording.SIDES : ["either"];

export const baseRate = (risk, knee) =>
  knee === "either" ? risk.base_rate.either : risk.base_rate.leg;

export function bandTag(risk, isQuiet = false) {
  const tone = isQuiet ? "tag" : wording.isRaised(risk.band) ? "tag tag--up" : "tag tag--down";
  const rule = variant("page.band_rule", risk.band);
  return html`<span class=${tone} title=${rule}>${wording.band(risk.band)}</span>`;
}

/** Whether a knee has no risk because it hurts now. */
export const hurtsNow = (answer, side) =>
  answer.risk.reasons.some(
    ({ code, column }) => code === "current_pain" && column === `${side}_pain_nrs`,
  );

export function kneeCard(answer, knee, sport) {
  const risk = answer.risk[knee];
  if (!risk) return painCard(answer, knee);
  const isCalm = !wording.isRaised(risk.band);
  const isOpen = answer.risk.status === "low_information";
  const base = baseRate(answer.risk, knee);
  const label = wording.riskLabel(knee, risk, base, sport);
  const like = text("page.risk.in_100_like_this", { athletes: wording.athletes(sport) });
  return html`<article class="card knee" aria-labelledby=${`k-${knee}`}>
    <div class="knee__top">
      <h2 id=${`k-${knee}`}>${wording.kneeName(knee)}</h2>${bandTag(risk, isOpen)}
    </div>
    <p class="knee__big"><b class="num">${in100(risk.probability)}</b> ${like}</p>
    <p class="knee__int num">${intervalText(risk)}</p>
    ${riskBar(risk, base, { isCalm, isOpen, label })}${axis()}
    <figure class="dots">${dots(risk, isCalm)}
      <figcaption>${frequencySentence(answer, knee, sport)} ${beyondAxis(risk)}</figcaption>
    </figure>
    ${mainDrivers(answer, knee, sport)}
  </article>`;
}

export const intervalText = (risk) =>
  text("page.risk.interval", { interval: interval(risk.interval) });

function frequencySentence(answer, knee, sport) {
  const risk = answer.risk[knee];
  const { outcome_kind: kind, horizon_months: months } = answer.risk;
  const count = in100(risk.probability);
  const [low, high] = risk.interval.map(in100);
  const values = { count, knee: wording.theKnee(knee), horizon: wording.horizon(months) };
  const one = () =>
    variant("page.outcome.one", kind, values) ?? text("page.outcome.one.other", values);
  const many = () =>
    variant("page.outcome.many", kind, values) ?? text("page.outcome.many.other", values);
  const what = count === "1" ? one() : many();
  return text("page.risk.frequency", { athletes: wording.athletes(sport), what, low, high });
}

function mainDrivers(answer, knee, sport) {
  const largest = answer.drivers
    .filter((driver) => driver.side === knee && Math.abs(driver.points) >= 0.05)
    .slice(0, 3);
  if (!largest.length) return nothing;
  const athlete = wording.typicalAthlete(sport);
  const typical = in100(answer.risk[knee].typical_probability ?? 0);
  const item = (driver) =>
    html`<li><span>${driver.label}</span><b>${points(driver.points)}</b></li>`;
  return html`<div class="knee__why"><h3>${text("page.risk.mostly_from")}</h3>
    <ul class="why3 num">${largest.map(item)}</ul>
    <p class="small quiet">${text("page.risk.points_against", { athlete, typical })}</p></div>`;
}

function painCard(answer, knee) {
  const key = hurtsNow(answer, knee) ? "hurts" : "none";
  return html`<article class="card knee" aria-labelledby=${`k-${knee}`}>
    <div class="knee__top">
      <h2 id=${`k-${knee}`}>${wording.kneeName(knee)}</h2>
      <span class="tag">${variant("page.no_risk.tag", key)}</span>
    </div>
    <p class="knee__big">${variant("page.no_risk.headline", key)}</p>
    <p class="quiet">${variant("page.no_risk.reason", key)}</p>
  </article>`;
}

/** The line under the cards: either knee, the base rates in both units, what counts. */
export function eitherLine(answer, sport) {
  const { either } = answer.risk;
  const who = text("page.risk.in_general", { athletes: capitalized(wording.athletes(sport)) });
  return html`<dl class="either num">
    ${either ? eitherRisk(either) : nothing}
    <div><dt>${who}</dt><dd>${baseRates(answer.risk.base_rate)}</dd></div>
    <div><dt>${text("page.risk.outcome")}</dt>
      <dd><span>${wording.outcomeTitle(answer.risk)}</span></dd></div>
  </dl>`;
}

const eitherRisk = (risk) =>
  html`<div><dt>${wording.kneeName("either")}</dt>
    <dd>${text("page.risk.in_100", { count: in100(risk.probability) })}
      <span>(${interval(risk.interval)})</span></dd></div>`;

function baseRates({ leg, either }) {
  const perKnee = text("page.risk.per_knee", { count: in100(leg ?? 0) });
  const eitherKnee = text("page.risk.either_knee", { count: in100(either ?? 0) });
  if (either === undefined || either === null) return leg ? perKnee : nothing;
  if (leg === undefined || leg === null) return html`<span>${eitherKnee}</span>`;
  return html`${perKnee} · <span>${eitherKnee}</span>`;
}
