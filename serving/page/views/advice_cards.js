// What to do: each piece of advice with its dose, its reason and how well it is supported.
import { icon } from "../lib/icon.js";
import { list } from "../lib/number_format.js";
import { plural, text, variant } from "../lib/texts.js";
import { grade } from "../lib/wording.js";
import { html, nothing } from "../vendor/lit-html.js";
import { fold } from "./folds.js";

/** The fold with all advice and its sources. */
export function adviceFold(answer) {
  const advice = answer.advice ?? [];
  const week = answer.coming_week;
  if (!advice.length && !week) return nothing;
  const stopRules = [...new Set(advice.map((item) => item.stop_rule))];
  const body = html`<p>${text("page.advice.explanation")}</p>
    <div class="tips">
      ${week ? weekCard(week) : nothing}
      ${advice.map((item) => adviceCard(item, stopRules.indexOf(item.stop_rule)))}
      ${stopRules.map((rule, i) => stopCard(rule, stopRules.length > 1 ? i + 1 : null))}
    </div>`;
  return fold("a-advice", text("page.advice.title"), result(advice, week), body);
}

// "7 pieces of advice, 2 with moderate evidence or better · the coming week".
function result(advice, week) {
  const good = advice.filter(({ grade: own }) => ["high", "moderate"].includes(own)).length;
  const parts = [
    advice.length && plural("page.advice.pieces", advice.length),
    advice.length && text("page.advice.well_supported", { count: good }),
    week && text("page.advice.week", { rate: week.hazard_ratio.toFixed(1) }),
  ];
  return parts.filter(Boolean).join(" · ");
}

// A runner's longest session: advice about that session, apart from the risk of a year.
function weekCard({ hazard_ratio: rate, interval: [low, high], message, sources }) {
  const shown = rate.toFixed(1);
  const values = { low: low.toFixed(1), high: high.toFixed(1) };
  const number = html`<p class="num">
    <b class="tip__rate">${text("page.coming_week.rate", { rate: shown })}</b>
    ${text("page.coming_week.rate_of", values)}</p>`;
  return html`<article class="tip tip--week" aria-labelledby="h-week">
    <header>${icon("time", 22)}<h3 id="h-week">${text("page.coming_week.heading")}</h3></header>
    ${shown === "1.0" ? nothing : number}
    <p class="quiet">${message}</p>
    <p class="src">${text("page.advice.sources")} ${sourceList(sources)}</p></article>`;
}

const stopTitle = (number) =>
  number ? text("page.advice.stop_rule_number", { number }) : text("page.advice.stop_rule");

const stopCard = (rule, number) =>
  html`<section class="tip tip--stop" aria-label=${text("page.advice.when_to_stop")}>
    <header>${icon("flag", 22)}<h3>${stopTitle(number)}</h3></header><p>${rule}</p></section>`;

function adviceCard(item, stopRule) {
  const gradeTag = text("page.advice.grade", { grade: grade(item.grade) });
  const dose = html`<p><b>${text("page.advice.dose")}</b> ${item.dose}</p>`;
  const sources = html`${text("page.advice.sources")} ${sourceList(item.sources)}`;
  return html`<article class="tip">
    <header><span class=${`grade grade--${item.grade}`}>${gradeTag}</span></header>
    <p class="tip__text">${item.text}</p>
    ${item.dose ? dose : html`<p>${text("shared.advice.no_dose")}</p>`}
    <p class="quiet">${item.reason}${sidesOf(item)}</p>
    <p class="src">${stopRule > 0 ? `${stopTitle(stopRule + 1)}. ` : ""}${sources}</p></article>`;
}

/** Studies by their links; what is no study is said without one. In short: author and year. */
export function sourceList(sources, { isShort = false } = {}) {
  const name = (short) => (isShort ? short.replace(/^(\D+ \d{4})\b.*$/, "$1") : short);
  const link = ({ short, url }) =>
    url ? html`<a href=${url} target="_blank" rel="noopener noreferrer">${name(short)}</a>` : short;
  return sources.map((source, i) => html`${i ? "; " : ""}${link(source)}`);
}

// Where the reason does not say which leg it is about.
function sidesOf(item) {
  if (!item.sides.length || item.reason.includes("leg")) return "";
  const sides = [...item.sides].sort().reverse();
  return ` (${list(sides.map((side) => variant("page.side_inline", side)))})`;
}
