// The risk of each knee, as a card; and the line with what holds for both.
import { capitalized, in100, interval, points } from "../lib/number_format.js";
import { text, variant } from "../lib/texts.js";
import * as wording from "../lib/wording.js";
import { html, nothing } from "../vendor/lit-html.js";
import { axis, beyondAxis, dots, riskBar, widthBar } from "./charts.js";

/** The knees to show: both where the model tells them apart, else either. */
export const kneesOf = (risk) =>
  risk.left || risk.right || !risk.either ? wording.SIDES : ["either"];

export const baseRate = (risk, knee) =>
  knee === "either" ? risk.base_rate.either : risk.base_rate.leg;

export function bandTag(risk, isQuiet = false) {
  const isPlain = isQuiet || risk.band === "not_assessed";
  const tone = isPlain ? "tag" : wording.isRaised(risk.band) ? "tag tag--up" : "tag tag--down";
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
  const isOpen = wording.isOpen(answer.risk, risk);
  const base = baseRate(answer.risk, knee);
  const label = wording.riskLabel(knee, risk, base, sport);
  const like = text("page.risk.in_100_like_this", { athletes: wording.athletes(sport) });
  return html`<article class="card knee" aria-labelledby=${`k-${knee}`}>
    <div class="knee__top">
      <h2 id=${`k-${knee}`}>${wording.kneeName(knee)}</h2>${bandTag(risk, isOpen)}
    </div>
    <p class="knee__lead quiet">${suggestsAbout(answer)}</p>
    <p class="knee__big"><b class="num">${in100(risk.probability)}</b> ${like}</p>
    <p class="knee__int num">${intervalText(risk)}</p>
    ${riskBar(risk, base, { isCalm, isOpen, label })}${axis()}
    ${widthSources(risk)}
    <figure class="dots">${dots(risk, isCalm)}
      <figcaption>${dotsCaption(answer, knee, sport)} ${beyondAxis(risk)}</figcaption>
    </figure>
    ${mainDrivers(answer, knee, sport)}
  </article>`;
}

export const intervalText = (risk) =>
  text("page.risk.interval", { interval: interval(risk.interval) });

/** Whose number it is, before the number: "Put together, studies suggest about". */
export const suggestsAbout = (answer) =>
  text("page.risk.suggests_about", { suggests: wording.suggests(answer) });

const inPercent = (share) => String(Math.round(100 * share));

// Where the width of the interval comes from: a bar, and its parts by name.
function widthSources(risk) {
  if (!risk.interval_from) return nothing;
  const parts = Object.entries(risk.interval_from);
  const name = (source) => variant("shared.interval_from", source);
  const spoken = parts.map(([source, share]) =>
    text("page.risk.width_spoken", { source: name(source), share: inPercent(share) }),
  );
  const heading = text("page.risk.width", { interval: interval(risk.interval) });
  const settled = text("page.risk.settled", { share: inPercent(risk.information) });
  const item = ([source, share]) =>
    html`<li><svg class="sw-w"><rect class=${`w-${source}`} width="100%" height="100%"></rect></svg>
      ${name(source)} <b>${text("page.risk.share", { share: inPercent(share) })}</b></li>`;
  return html`<div class="from num"><h3>${heading}</h3>${widthBar(parts, spoken.join(", "))}
    <ul aria-hidden="true">${parts.map(item)}</ul><p class="small quiet">${settled}</p></div>`;
}

function dotsCaption(answer, knee, sport) {
  const { outcome_kind: kind, horizon_months: months } = answer.risk;
  const values = { knee: wording.theKnee(knee), horizon: wording.horizon(months) };
  const outcome =
    variant("page.outcome.of_knee", kind, values) ?? text("page.outcome.of_knee.other", values);
  const [low, high] = answer.risk[knee].interval.map(in100);
  const count = in100(answer.risk[knee].probability);
  const athletes = wording.athletes(sport);
  return text("page.risk.dots_caption", { athletes, count, outcome, low, high });
}

function mainDrivers(answer, knee, sport) {
  const largest = answer.drivers
    .filter((driver) => driver.side === knee && Math.abs(driver.points) >= 0.05)
    .slice(0, 3);
  if (!largest.length) return nothing;
  const athlete = wording.typicalAthlete(sport);
  const typical = in100(answer.risk[knee].typical_probability ?? 0);
  const item = (driver) =>
    html`<li><span>${driver.label}<small>${wording.sizeFrom(driver)}</small></span>
      <b>${points(driver.points)}</b></li>`;
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
    ${aboutTheInterval(answer.risk).map(
      ([name, content]) =>
        html`<div><dt>${name}</dt>
        <dd class="small"><span>${content}</span></dd></div>`,
    )}
  </dl>`;
}

// What holds for the intervals of both knees, where the model can say where they come from.
function aboutTheInterval(risk) {
  if (![risk.right, risk.left, risk.either].some((own) => own?.interval_from)) return [];
  const isFromClub = risk.base_rate.from_club;
  const counts = isFromClub
    ? `${text("shared.base_rate.counts")} ${text("shared.base_rate.from_club")}`
    : text("shared.base_rate.counts");
  const coverage = isFromClub ? text("shared.coverage.counted") : text("shared.coverage.plain");
  return [
    [text("page.risk.counts"), counts],
    [text("page.risk.coverage"), coverage],
    [text("page.risk.narrowing"), text("shared.narrowing.who")],
  ];
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
