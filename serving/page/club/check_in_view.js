// The weekly check of one athlete: one press where nothing is new, four questions where something is.
import { icon } from "../lib/icon.js";
import { isoToday } from "../lib/local_storage.js";
import { longDate, shortDate } from "../lib/number_format.js";
import { plural, text, variant } from "../lib/texts.js";
import { kneeName, SIDES, theKnee } from "../lib/wording.js";
import { html, nothing } from "../vendor/lit-html.js";
import { newlyHurting } from "./check_in_report.js";
import { daysOf } from "./knee_history.js";
import { ofGroup, overdueList } from "./overdue_list.js";

const KNEES = [...SIDES, "neither"];
const BEGAN = ["before", "gradual", "moment"];
const TRAINING = ["usual", "less", "much_less"];

export function checkInView(state, actions) {
  const { club } = state;
  return html`<div class="head"><div>
      <h1 id="h-club" tabindex="-1">${text("club.view_title.club")}</h1>
      <p>${club.list ? summary(club.list) : nothing}</p></div></div>
    <div class="asking">
      <div>${club.done ? doneCard(club, actions) : nothing}
        ${club.check ? checkCard(club, actions) : whoseCard(club, actions)}</div>
      ${overdueList(state, actions)}</div>`;
}

function summary({ counts }) {
  const { overdue, due, answered } = counts;
  return text("club.overdue.summary", { overdue, due, answered });
}

function whoseCard(club, actions) {
  const submit = (event) => {
    event.preventDefault();
    actions.ask(club.typed.trim());
  };
  return html`<form class="card whose" autocomplete="off" @submit=${submit}>
    <p>${text("club.check.intro")}</p>
    <div class="fact"><label for="whose">${text("club.check.whose")}</label>
      <div class="cell"><input id="whose" type="text" class="is-text" required maxlength="64"
        autocapitalize="off" spellcheck="false" .value=${club.typed}
        @input=${(event) => actions.typeAthlete(event.target.value)}></div></div>
    <button class="btn" type="submit">${text("club.check.ask")}</button></form>`;
}

// -- the check -------------------------------------------------------------------------------

function checkCard(club, actions) {
  const { check } = club;
  const { athlete, period } = check;
  const heading = text("club.check.heading", { athlete, date: shortDate(period.first) });
  const submit = (event) => {
    event.preventDefault();
    actions.sendAnswers();
  };
  return html`<form class="ci" novalidate autocomplete="off" aria-labelledby="h-check"
    @submit=${submit}>
    <h2 id="h-check">${heading}</h2>
    ${days(check, actions)} ${standing(check)}
    <button id="nothing-new" class="btn btn--main same" type="button" ?disabled=${club.isBusy}
      @click=${actions.nothingNew}>${text("club.check.nothing_new")}
      <small>${variant("club.check.same", sameAs(check))}</small></button>
    <p class="or">${text("club.check.or")}</p>
    ${questions(check, actions)}
    ${check.problem ? html`<p class="keep__bad" role="alert">${check.problem}</p>` : nothing}
    <button class=${hasBegun(check) ? "btn btn--main ci__send is-near" : "btn ci__send"} type="submit" ?disabled=${club.isBusy}>
      ${club.isBusy ? text("club.check.working") : text("club.check.send")}</button>
    <p class="small"><b>${text("club.check.urgent")}</b></p>
    <p class="small quiet">${text("club.check.physio")}</p>
    <button class="more" type="button" @click=${actions.someoneElse}>
      ${text("club.check.another")}</button>
  </form>`;
}

const hasBegun = ({ answers: { hurts, signs } }) => hurts.length + signs.length > 0;

function days({ period }, actions) {
  const [first, last] = [shortDate(period.first), shortDate(period.last)];
  const covers = { first, last, days: plural("club.check.days", daysOf(period)) };
  return html`<div class="ci__days"><p class="quiet">${text("club.check.covers", covers)}</p>
    <label>${text("club.check.until")}<input type="date" max=${isoToday()} .value=${period.last}
      @change=${(event) => actions.setUntil(event.target.value)}></label></div>`;
}

// What the answers can be held against, where that is less than it seems.
function standing({ record, silentDays }) {
  if (!record.visits.length) return note(text("club.check.not_screened"));
  if (silentDays <= 28) return nothing;
  return note(text("club.check.lost", { days: plural("club.check.days", silentDays) }));
}

const note = (words) => html`<p class="ci__note small">${words}</p>`;

function sameAs({ trouble }) {
  const [right, left] = SIDES.map((side) => Boolean(trouble[side]));
  if (right && left) return "both";
  if (right) return "right";
  return left ? "left" : "fine";
}

function questions(check, actions) {
  const { answers } = check;
  const began = (side) =>
    question(check, `began-${side}`, {
      legend: text("club.check.question.began", { knee: theKnee(side) }),
      codes: BEGAN,
      chosen: [answers.began[side]],
      press: (code) => actions.chooseBegan(side, code),
      hint: text("club.check.hint.began"),
    });
  const named = [...answers.hurts, ...answers.signs].some((code) => SIDES.includes(code));
  return html`${question(check, "hurts", {
    legend: text("club.check.question.hurts"),
    codes: KNEES,
    chosen: answers.hurts,
    press: (code) => actions.toggle("hurts", code),
    isMultiple: true,
  })}
    ${newlyHurting(check).map(began)}
    ${question(check, "signs", {
      legend: text("club.check.question.signs"),
      codes: KNEES,
      chosen: answers.signs,
      press: (code) => actions.toggle("signs", code),
      isMultiple: true,
    })}
    ${answers.signs.some((code) => SIDES.includes(code)) ? urgent() : nothing}
    ${named ? trainingQuestion(check, actions) : nothing}`;
}

const trainingQuestion = (check, actions) =>
  question(check, "training", {
    legend: text("club.check.question.training"),
    codes: TRAINING,
    chosen: [check.answers.training],
    press: (code) => actions.choose("training", code),
  });

const urgent = () =>
  html`<div class="flags flags--soon" role="alert">${icon("flag", 30)}
    <p><b>${text("club.check.urgent")}</b></p></div>`;

function question(check, name, { legend, codes, chosen, press, hint = "", isMultiple = false }) {
  const isMissing = check.missing.includes(name);
  const type = isMultiple ? "checkbox" : "radio";
  return html`<fieldset class=${isMissing ? "card q is-missing" : "card q"} id=${`q-${name}`}
    tabindex="-1"><legend>${legend}
      ${isMissing ? html`<span class="q__missing">${text("club.check.not_answered")}</span>` : nothing}
    </legend>
    <div class="q__o">${codes.map(
      (code) =>
        html`<label><input type=${type} name=${name} .checked=${chosen.includes(code)}
        @change=${() => press(code)}><span>${variant("club.check.option", code)}</span></label>`,
    )}</div>${hint ? html`<p class="small quiet">${hint}</p>` : nothing}</fieldset>`;
}

// -- what was kept ---------------------------------------------------------------------------

function doneCard({ done, list }, actions) {
  const [first, last] = [shortDate(done.period.first), shortDate(done.period.last)];
  const date = longDate(done.period.last);
  const sentence = ({ code, side }) => {
    const values = { knee: side ? kneeName(side) : "", first, last, date };
    return html`<li>${variant("club.check.news", code, values)}</li>`;
  };
  const next = list && ["overdue", "due"].flatMap((group) => ofGroup(list, group))[0];
  const title = text("club.check.kept.title", { athlete: done.athlete });
  return html`<section class="card take done" role="status" aria-label=${title}>
    <h2>${title}</h2>
    <ul>${done.kept.map(sentence)}</ul>
    <p class="small quiet">${text("club.check.kept.mistaken")}</p>
    ${next ? nextButton(next, actions) : nothing}</section>`;
}

const nextButton = ({ athlete }, actions) =>
  html`<button id="next-athlete" class="btn btn--main" type="button"
    @click=${() => actions.ask(athlete)}>${text("club.check.next", { athlete })}</button>`;
