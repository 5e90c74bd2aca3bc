// The risk of each knee, as a card, and how much was learnt about them.
import { capitalized, in100, interval } from "../lib/number_format.js";
import { text, variant } from "../lib/texts.js";
import * as wording from "../lib/wording.js";
import { html, nothing } from "../vendor/lit-html.js";
import { axis, beyondAxis, meter, riskBar } from "./charts.js";

/** From so many points of 100 on, the two knees are told apart in how much was learnt. */
const APART = 3;

/** The knees to show: both where the model tells them apart, else either. */
export const kneesOf = (risk) =>
  risk.left || risk.right || !risk.either ? wording.SIDES : ["either"];

/** The knees whose number holds well enough to be shown; none where no number does. */
export const knownKnees = (answer) =>
  wording.whyNoNumber(answer.risk) ? [] : kneesOf(answer.risk).filter((knee) => answer.risk[knee]);

/** The knee that is most at risk of those with a number. */
export const highestKnee = (answer) =>
  knownKnees(answer).reduce(
    (highest, knee) =>
      highest && answer.risk[highest].probability >= answer.risk[knee].probability ? highest : knee,
    undefined,
  );

export const baseRate = (risk, knee) =>
  knee === "either" ? risk.base_rate.either : risk.base_rate.leg;

/** How a risk compares with the usual: plain and without colour where it is no number to rank. */
export function bandTag(risk, isOpen = false) {
  if (isOpen) return html`<span class="band">${text("page.risk.with_care")}</span>`;
  const tone = wording.isRaised(risk.band) ? "band band--up" : "band band--down";
  const rule = variant("page.band_rule", risk.band);
  return html`<span class=${tone} title=${rule}>${wording.band(risk.band)}</span>`;
}

/** Whether a knee has no risk because it hurts now. */
export const hurtsNow = (answer, side) =>
  answer.risk.reasons.some(
    ({ code, column }) => code === "current_pain" && column === `${side}_pain_nrs`,
  );

/** The cards of the knees, right first. */
export const kneeCards = (answer, sport) =>
  html`<div class="knees" id="a-risk">
    ${kneesOf(answer.risk).map((knee) => kneeCard(answer, knee, sport))}</div>`;

function kneeCard(answer, knee, sport) {
  const risk = answer.risk[knee];
  if (!risk) return withoutNumber(knee, hurtsNow(answer, knee) ? "hurts" : "none");
  const why = wording.whyNoNumber(answer.risk);
  if (why) return withoutNumber(knee, why.code, why.message);
  const isOpen = wording.isOpen(answer.risk, risk);
  const base = baseRate(answer.risk, knee);
  const label = wording.riskLabel(knee, risk, base, sport);
  const isCalm = !wording.isRaised(risk.band);
  const beyond = beyondAxis(risk);
  return html`<article class=${isOpen ? "card knee knee--open" : "card knee"}
    aria-labelledby=${`k-${knee}`}>
    <div class="knee__top"><h2 id=${`k-${knee}`}>${wording.kneeName(knee)}</h2>
      ${bandTag(risk, isOpen)}</div>
    <p class="knee__big num"><b>${in100(risk.probability)}</b> ${text("page.risk.of_100")}
      <span>(${interval(risk.interval)})</span></p>
    ${riskBar(risk, base, { isCalm, isOpen, label })}${axis()}
    ${beyond ? html`<p class="small quiet">${beyond}</p>` : nothing}
  </article>`;
}

/** A knee that has no number, and why. */
const withoutNumber = (knee, key, reason) =>
  html`<article class="card knee knee--none" aria-labelledby=${`k-${knee}`}>
    <h2 id=${`k-${knee}`}>${wording.kneeName(knee)}</h2>
    <p class="knee__none">${variant("page.no_risk.headline", key)}</p>
    <p class="quiet">${
      key === "out_of_population" ? `${capitalized(reason)}. ` : ""
    }${variant("page.no_risk.reason", key)}</p>
  </article>`;

export const intervalText = (risk) =>
  text("page.risk.interval", { interval: interval(risk.interval) });

/** A share as a whole number of per cent. */
export const inPercent = (share) => String(Math.round(100 * share));

/**
 * Of what tests could settle, the share that is settled: the mean of the knees that are not sore,
 * which is also what decides whether an answer says too little.
 */
export function learnt({ risk }) {
  const shares = kneesOf(risk)
    .map((knee) => risk[knee]?.information)
    .filter((share) => share !== undefined);
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  return shares.length ? (risk.either?.information ?? mean) : undefined;
}

/** How much was learnt, and the key to the bars above it. */
export function learntCard(answer, sport) {
  const share = learnt(answer);
  const parts = [share === undefined ? nothing : learntMeter(answer, share), barKey(answer, sport)];
  if (parts.every((part) => part === nothing)) return nothing;
  return html`<section class="card learnt" aria-label=${text("page.learnt.heading")}>${parts}</section>`;
}

function learntMeter(answer, share) {
  const percent = inPercent(share);
  const isLittle = answer.risk.reasons.some(({ code }) => code === "low_information");
  const label = text("page.learnt.label", { share: percent });
  return html`<b>${text("page.learnt.heading")}</b>${meter(share, label)}
    <p class="num"><b>${text("page.risk.share", { share: percent })}</b> ${text("page.learnt.of")}${
      isLittle ? `: ${text("page.learnt.little")}` : bySide(answer)
    }</p>`;
}

// Each knee's own share, where the two differ.
function bySide({ risk }) {
  const [right, left] = wording.SIDES.map((side) => risk[side]?.information);
  if (right === undefined || left === undefined) return "";
  const shares = { right: inPercent(right), left: inPercent(left) };
  if (Math.abs(shares.right - shares.left) < APART) return "";
  return ` ${text("page.learnt.by_side", shares)}`;
}

function barKey(answer, sport) {
  const [knee] = knownKnees(answer);
  if (!knee) return nothing;
  const { risk } = answer;
  const base = baseRate(risk, knee);
  const usual = text("page.risk.usual", {
    athletes: wording.athletes(sport),
    count: in100(base ?? 0),
  });
  const key = base ? text("page.risk.key", { usual }) : text("page.risk.key_plain");
  return html`<p class="small quiet num learnt__key">${key} ${
    knee === "either" ? "" : eitherSentence(risk)
  }</p>`;
}

function eitherSentence({ either, base_rate: rates }) {
  if (!either) return "";
  const sentence = text("page.risk.either", {
    count: in100(either.probability),
    interval: interval(either.interval),
  });
  return rates.either
    ? `${sentence} ${text("page.risk.either_usual", { count: in100(rates.either) })}`
    : sentence;
}
