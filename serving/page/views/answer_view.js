// The whole answer: what to do first, then why to believe it, then the proof behind folds. A red
// flag replaces everything else on it.
import { icon } from "../lib/icon.js";
import { capitalized, choice, longDate } from "../lib/number_format.js";
import { text, variant } from "../lib/texts.js";
import * as wording from "../lib/wording.js";
import { html, nothing } from "../vendor/lit-html.js";
import { adviceFold } from "./advice_cards.js";
import { driversFold } from "./driver_charts.js";
import { inputsFold } from "./inputs_table.js";
import { intervalFold } from "./interval_sources.js";
import { keptTag } from "./keep_card.js";
import { kneeCards, learntCard } from "./knee_cards.js";
import { modelFold, notice } from "./model_notice.js";
import { nextTestCard } from "./next_tests.js";
import { atFault } from "./live_answer.js";
import { patternCard, patternsFold } from "./pattern_cards.js";
import { planCard } from "./plan_card.js";
import { sidesFold } from "./side_differences.js";
import { whatIfFold } from "./what_if_view.js";

export function answerView(state, actions) {
  const { answer } = state;
  if (!answer) return noAnswer(state);
  if (answer.risk.status === "refer") return referral(state, actions);
  const sport = state.draft.values["athlete.sport"];
  return html`<section class="view answer" aria-labelledby="h-answer">
    ${head(state, flagsInHead(answer))} ${seeSoon(answer)} ${takeaway(answer)}
    ${kneeCards(answer, sport)} ${learntCard(answer, sport)}
    ${whatToDo(state, actions)}
    <section class="card folds" aria-label=${text("page.answer.details")}>
      ${driversFold(answer, sport)} ${sidesFold(answer)} ${patternsFold(answer)}
      ${intervalFold(answer, sport)} ${adviceFold(answer)} ${whatIfFold(state, actions)}
      ${inputsFold(answer, state.labels)} ${modelFold(state)}
    </section>
  </section>`;
}

// The plan beside the next test and the pattern; a short plan leaves room for the pattern below it.
function whatToDo(state, actions) {
  const { answer } = state;
  const [plan, next] = [planCard(answer), nextTestCard(state, actions)];
  const pattern = patternCard(answer, state.texts.leg_drawing);
  const isShort = answer.plan?.items.length === 1;
  return html`<div class="todo">
    <div class="todo__main">${plan} ${isShort ? pattern : nothing}</div>
    <div class="todo__side">${next} ${isShort ? nothing : pattern}</div></div>`;
}

function noAnswer(state) {
  return html`<section class="view" aria-labelledby="h-answer">
    <div class="head"><div>
      <h1 id="h-answer" tabindex="-1">${text("page.answer.none")}</h1>
      <p>${state.problem ?? atFault(state) ?? text("page.answer.age_and_sex")}</p></div></div>
    <a class="btn btn--main" href="#screen">${text("page.to_the_form")}</a></section>`;
}

/** Who was screened and when: "27, female, running. Screened 2 March 2026." */
export function athleteLine(draft) {
  const { "athlete.age_years": age, "athlete.sex": sex, "athlete.sport": sport } = draft.values;
  const sexName = sex === "unspecified" ? text("page.answer.sex_not_stated") : sex;
  const parts = [age, sexName, sport && choice(sport).toLowerCase()];
  return text("page.answer.athlete_line", {
    athlete: parts.filter(Boolean).join(", "),
    date: longDate(draft.date),
  });
}

const head = (state, more) =>
  html`<div class="head"><div>
    <h1 id="h-answer" tabindex="-1">${state.draft.name.trim() || text("page.answer.unnamed")}</h1>
    <p>${athleteLine(state.draft)} ${more} ${keptTag(state)}</p></div></div>`;

// What was asked about red flags, in a line; a flag that applies has a box of its own.
function flagsInHead({ red_flags_status: status }) {
  if (status === "present") return nothing;
  const link = html`<a href="#st-flags">${variant("page.red_flags.link", status)}</a>`;
  const words = variant("page.red_flags.title", status);
  return status === "cleared" ? html`${words} ${link}` : html`<b class="ask">${words} ${link}</b>`;
}

function seeSoon({ red_flags: flags }) {
  if (!flags.length) return nothing;
  const reasons = flags.map((flag) => flag.reason).join(". ");
  return html`<div class="flags flags--soon">${icon("flag", 30)}
    <p><b>${text("page.red_flags.soon")}</b>
      <span class="small">${reasons}. ${flags[0].act}</span></p>
    <a class="btn" href="#st-flags">${text("page.red_flags.see_questions")}</a></div>`;
}

// The two sentences that the answer begins with, what they count, and what lies outside.
function takeaway(answer) {
  const { summary, risk, model } = answer;
  const counted = text("page.answer.counted", {
    outcome: wording.outcomeTitle(risk).toLowerCase(),
  });
  const checked = variant("page.answer.checked", model.cohort) ?? "";
  const outside = risk.reasons
    .filter(({ code }) => code === "out_of_population")
    .map(({ message }) => `${capitalized(message)}.`);
  return html`<section class="card take" aria-label=${text("page.answer.in_short")}>
    <p><b>${summary[0]}</b></p><p>${summary[1]}</p>
    <p class="small">${[...outside, counted, checked].join(" ")}</p></section>`;
}

function referral(state, actions) {
  const { answer } = state;
  const { when, act } = answer.red_flags[0];
  const [first, next] = answer.summary;
  return html`<section class="view answer" aria-labelledby="h-answer">
    ${head(state, nothing)}
    <section class="card take" aria-label=${text("page.answer.in_short")}>
      <p><b>${first}</b></p><p>${next}</p></section>
    <div class="flags flags--refer" role="alert">${icon("flag", 40)}
      <div><h2>${text("page.referral.no_score", { when })}</h2>
        <p>${text("page.referral.explanation")}</p>
        <ul>${answer.red_flags.map((flag) => flagItem(flag, state.texts))}</ul>
        <p><b>${text("page.referral.what_to_do")}</b> ${act}</p>
        <div class="acts">
          <button class="btn btn--main" type="button" @click=${actions.print}>
            ${text("page.referral.print")}</button>
          <a class="btn" href="#st-flags">${text("page.referral.change")}</a></div></div>
    </div>
    <section class="card about-model" aria-labelledby="h-not">
      <h2 id="h-not">${text("page.notice.heading")}</h2>${notice(state)}</section>
  </section>`;
}

function flagItem(flag, texts) {
  const question = texts.red_flags.find(({ code }) => code === flag.code)?.question;
  const reason = question ? text("page.referral.yes", { reason: flag.reason }) : "";
  return html`<li><b>${question ?? flag.reason}</b><span>${reason}</span></li>`;
}
