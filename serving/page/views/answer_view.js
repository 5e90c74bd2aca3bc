// The whole answer. A red flag replaces everything else on it.
import { icon } from "../lib/icon.js";
import { capitalized, choice, longDate } from "../lib/number_format.js";
import { text, variant } from "../lib/texts.js";
import * as wording from "../lib/wording.js";
import { html, nothing } from "../vendor/lit-html.js";
import { adviceCards } from "./advice_cards.js";
import { driverCharts } from "./driver_charts.js";
import { inputsTable } from "./inputs_table.js";
import { eitherLine, hurtsNow, kneeCard, kneesOf } from "./knee_cards.js";
import { legFigure } from "./leg_figure.js";
import { nextTestCard } from "./next_tests.js";
import { patternCards } from "./pattern_cards.js";
import { sideDifferenceCard } from "./side_differences.js";
import { whatIfSection } from "./what_if_view.js";

export function answerView(state, actions) {
  const { answer } = state;
  if (!answer) return noAnswer(state);
  if (answer.risk.status === "refer") return referral(state, actions);
  const sport = state.draft.values["athlete.sport"];
  return html`<section class="view" aria-labelledby="h-answer">
    ${head(state, headline(answer))} ${inShort(answer)} ${partLinks(answer)} ${redFlagLine(answer)}
    ${statusLine(answer)} ${riskCards(answer, sport, state.texts.leg_drawing)}
    ${eitherLine(answer, sport)}
    ${patternCards(answer)} ${driverCharts(answer, sport)}
    <div class="section two">
      ${nextTestCard(answer, state.draft, actions, state.texts)}${sideDifferenceCard(answer)}
    </div>
    ${adviceCards(answer)} ${whatIfSection(state, actions)}
    <div class="section">${inputsTable(answer, state.labels)}</div>
    ${notice(state)}
  </section>`;
}

function noAnswer(state) {
  return html`<section class="view" aria-labelledby="h-answer">
    <div class="head"><div>
      <h1 id="h-answer" tabindex="-1">${text("page.answer.none")}</h1>
      <p>${state.problem ?? text("page.answer.age_and_sex")}</p></div></div>
    <a class="btn btn--main" href="#screen">${text("page.to_the_form")}</a></section>`;
}

function riskCards(answer, sport, drawing) {
  if (kneesOf(answer.risk)[0] === "either") {
    return html`<div class="two" id="a-risk">
      ${kneeCard(answer, "either", sport)}${legFigure(answer, drawing)}</div>`;
  }
  return html`<div class="hero" id="a-risk">
    ${kneeCard(answer, "right", sport)} ${legFigure(answer, drawing)}
    ${kneeCard(answer, "left", sport)}
  </div>`;
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

function head(state, sentence) {
  const { draft, answer } = state;
  const title = draft.name
    ? text("page.titled", { title: draft.name, name: sentence })
    : capitalized(sentence);
  const cohort = variant("page.answer.cohort_tag", answer.model.cohort);
  return html`<div class="head"><div>
      <h1 id="h-answer" tabindex="-1">${title}</h1><p>${athleteLine(draft)}</p></div>
    <p class="small"><span class="tag">${icon("sim", 16)}${cohort}</span></p></div>`;
}

// The two sentences that the answer begins with.
const inShort = ({ summary: [likely, next] }) =>
  html`<section class="card take" aria-label=${text("page.answer.in_short")}>
    <p><b>${likely}</b></p><p>${next}</p></section>`;

function headline(answer) {
  if (answer.risk.status === "low_information") return text("page.answer.headline.low_information");
  const verdicts = kneesOf(answer.risk).map((knee) => [knee, kneeVerdict(answer, knee)]);
  const [[, first], [, second] = []] = verdicts;
  if (verdicts.length === 2 && first === second) {
    return text("page.answer.headline.both", {
      verdict: first === "hurts" ? text("page.answer.headline.hurt") : verdictWords(first),
    });
  }
  return verdicts
    .map(([knee, verdict]) =>
      text("page.answer.headline.one", {
        knee: wording.kneeName(knee).toLowerCase(),
        verdict: verdictWords(verdict),
      }),
    )
    .join(", ");
}

function kneeVerdict(answer, knee) {
  const risk = answer.risk[knee];
  if (risk) return risk.band;
  return hurtsNow(answer, knee) ? "hurts" : "none";
}

const verdictWords = (verdict) =>
  wording.band(verdict)?.toLowerCase() ?? variant("page.answer.headline.verdict", verdict);

function partLinks(answer) {
  const { risk } = answer;
  const links = [
    ["a-risk", "risk", true],
    ["a-patterns", "patterns", answer.imbalances?.length],
    ["a-drivers", "drivers", answer.drivers.length],
    ["a-next", "next_test", true],
    ["a-sides", "sides", answer.side_differences?.length],
    ["a-advice", "advice", answer.advice?.length || answer.coming_week],
    ["a-whatif", "what_if", risk.either || risk.right || risk.left],
  ].filter(([, , isShown]) => isShown);
  return html`<nav class="walk" aria-label=${text("page.answer.parts.label")}>${links.map(
    ([id, name]) => html`<a href=${`#${id}`}>${variant("page.answer.parts.name", name)}</a>`,
  )}</nav>`;
}

function redFlagLine(answer) {
  const flags = answer.red_flags;
  if (flags.length) {
    const reasons = flags.map((flag) => flag.reason).join(". ");
    return html`<div class="flags flags--soon">${icon("flag", 30)}
      <p><b>${text("page.red_flags.soon")}</b>
        <span class="small">${reasons}. ${flags[0].act}</span></p>
      <a class="btn" href="#st-flags">${text("page.red_flags.see_questions")}</a></div>`;
  }
  const isCleared = answer.red_flags_status === "cleared";
  const key = isCleared ? "cleared" : "not_asked";
  return html`<div class=${isCleared ? "flags" : "flags flags--ask"}>
    ${icon(isCleared ? "ok" : "flag", 30)}
    <p><b>${variant("page.red_flags.title", key)}</b>
      <span class="small">${variant("page.red_flags.note", key)}</span></p>
    <a class="btn" href="#st-flags">${variant("page.red_flags.link", key)}</a></div>`;
}

function statusLine(answer) {
  const { status, reasons } = answer.risk;
  const sentence = wording.statusSentence(status);
  if (!sentence) return nothing;
  const lines = reasons
    .filter((reason) => reason.code !== "refer")
    .map((reason) => html`<span class="small">${capitalized(reason.message)}.</span>`);
  return html`<div class="flags flags--state">${icon("sim", 30)}<p><b>${sentence}</b> ${lines}</p>
    <a class="btn" href="#screen">${text("page.to_the_form")}</a></div>`;
}

function referral(state, actions) {
  const { answer } = state;
  const { when, act } = answer.red_flags[0];
  return html`<section class="view" aria-labelledby="h-answer">
    ${head(state, text("page.referral.short", { when }))} ${inShort(answer)}
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
    ${notice(state)}
  </section>`;
}

function flagItem(flag, texts) {
  const question = texts.red_flags.find(({ code }) => code === flag.code)?.question;
  const reason = question ? text("page.referral.yes", { reason: flag.reason }) : "";
  return html`<li><b>${question ?? flag.reason}</b><span>${reason}</span></li>`;
}

/** What the answer is, and of which model. */
function notice({ answer, model, texts }) {
  return html`<section class="section card notice" aria-labelledby="h-not">
    <div><h2 id="h-not">${text("page.notice.heading")}</h2><p>${answer.notice}</p></div>
    <dl>${lineage(answer.model, model, texts).map(
      ([name, content]) => html`<dt>${variant("page.notice.term", name)}</dt><dd>${content}</dd>`,
    )}</dl></section>`;
}

function lineage(own, model, texts) {
  const count = model?.athletes?.toLocaleString("en");
  const cohort = count ? text("page.notice.cohort", { cohort: own.cohort, count }) : own.cohort;
  return [
    ["model", own.version],
    ["cohort", cohort],
    ["effects", own.cohort !== "observed" && text("page.notice.effects", texts.effect_sizes)],
    ["run", own.run_id],
    ["code", own.git_sha && `git ${own.git_sha.slice(0, 10)}`],
    ["schema", own.schema],
  ].filter(([, content]) => content);
}
