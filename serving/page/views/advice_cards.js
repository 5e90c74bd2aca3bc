// What to do: each piece of advice with its dose, its reason and how well it is supported.
import { icon } from "../lib/icon.js";
import { list } from "../lib/number_format.js";
import { text, variant } from "../lib/texts.js";
import { grade } from "../lib/wording.js";
import { html, nothing } from "../vendor/lit-html.js";

export function adviceCards(answer) {
  const advice = answer.advice ?? [];
  if (!advice.length) return nothing;
  const stopRules = [...new Set(advice.map((item) => item.stop_rule))];
  return html`<section class="section" id="a-advice" aria-labelledby="h-tips">
    <h2 id="h-tips">${text("page.advice.heading")}</h2>
    <p>${text("page.advice.explanation")}</p>
    <div class="tips">
      ${advice.map((item) => adviceCard(item, stopRules.indexOf(item.stop_rule)))}
      ${stopRules.map((rule, i) => stopCard(rule, stopRules.length > 1 ? i + 1 : null))}
    </div>
  </section>`;
}

const stopTitle = (number) =>
  number ? text("page.advice.stop_rule_number", { number }) : text("page.advice.stop_rule");

const stopCard = (rule, number) =>
  html`<section class="card tip tip--stop" aria-label=${text("page.advice.when_to_stop")}>
    <header>${icon("flag", 22)}<h3>${stopTitle(number)}</h3></header><p>${rule}</p></section>`;

function adviceCard(item, stopRule) {
  const gradeTag = text("page.advice.grade", { grade: grade(item.grade) });
  const dose = html`<p><b>${text("page.advice.dose")}</b> ${item.dose}</p>`;
  const sources = text("page.advice.sources", { sources: item.sources.join("; ") });
  return html`<article class="card tip">
    <header><span class=${`grade grade--${item.grade}`}>${gradeTag}</span></header>
    <p class="tip__text">${item.text}</p>
    ${item.dose ? dose : nothing}
    <p class="quiet">${item.reason}${sidesOf(item)}</p>
    <p class="src">${stopRule > 0 ? `${stopTitle(stopRule + 1)}. ` : ""}${sources}</p></article>`;
}

// Where the reason does not say which leg it is about.
function sidesOf(item) {
  if (!item.sides.length || item.reason.includes("leg")) return "";
  const sides = [...item.sides].sort().reverse();
  return ` (${list(sides.map((side) => variant("page.side_inline", side)))})`;
}
