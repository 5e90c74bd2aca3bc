// The answer as it grows, beside the form; and as a strip above the thumb on a phone.
import { icon } from "../lib/icon.js";
import { again, capitalized, fixed, in100, interval, list } from "../lib/number_format.js";
import { plural, text, variant } from "../lib/texts.js";
import * as wording from "../lib/wording.js";
import { html, nothing } from "../vendor/lit-html.js";
import { riskBar } from "./charts.js";
import { bandTag, baseRate, hurtsNow, intervalText, kneesOf, knownKnees } from "./knee_cards.js";
import { gain, worthwhile } from "./next_tests.js";

export function liveAnswer(state) {
  return html`<aside class="card live" aria-labelledby="h-live">
    <div class="card__head"><h2 id="h-live">${text("page.live.heading")}</h2>
      ${state.isLoading ? html`<p>${text("page.live.working")}</p>` : nothing}</div>
    ${panel(state)}
    <a class=${state.answer ? "btn btn--main" : "btn"} href="#answer">${text("page.live.open")}</a>
  </aside>${strip(state)}`;
}

function panel(state) {
  const { answer } = state;
  if (state.problem) return html`<p class="live__no">${state.problem}</p>${onHold(state)}`;
  if (!answer)
    return html`<p class="live__no">${
      atFault(state) ?? text("page.live.first")
    }</p>${onHold(state)}`;
  if (answer.risk.status === "refer") return referral(answer);
  const knees = kneesOf(answer.risk);
  const sport = state.draft.values["athlete.sport"];
  return html`<div class="live__take"><p><b>${answer.summary[0]}</b></p>
      <p>${answer.summary[1]}</p></div>
    ${knees.map((knee) => kneeLine(answer, knee, sport))} ${onHold(state)}
    ${scale(answer, sport)} <dl>${patternItem(answer)} ${nextTestItem(answer)}</dl>`;
}

/** What has to be put right before there is any answer: age or sex at fault; null where neither. */
export function atFault({ faults, labels }) {
  const wrong = ["athlete.age_years", "athlete.sex"].filter((path) => faults[path]);
  if (!wrong.length) return null;
  return text("page.live.needs", { names: list(wrong.map((path) => labels[path].toLowerCase())) });
}

// What the bars are of; nothing where there are none.
function scale(answer, sport) {
  const [knee] = knownKnees(answer);
  if (!knee) return nothing;
  return html`<p class="small quiet num">${text("page.live.scale", {
    outcome: wording.outcomeTitle(answer.risk),
    athletes: wording.athletes(sport),
    base: in100(baseRate(answer.risk, knee) ?? 0),
  })}</p>`;
}

function referral(answer) {
  const reasons = answer.red_flags.map((flag) => flag.reason).join(". ");
  const title = text("page.referral.no_score", { when: answer.red_flags[0].when });
  return html`<div class="live__refer">${icon("flag", 30)}
    <p><b>${title}</b><span class="small">${reasons}.</span></p></div>`;
}

function kneeLine(answer, knee, sport) {
  const risk = answer.risk[knee];
  const name = html`<span>${wording.kneeName(knee)}</span>`;
  if (!risk || wording.whyNoNumber(answer.risk)) {
    return html`<div class="live__knee">${name}<strong>${noRisk(answer, knee)}</strong></div>`;
  }
  const isOpen = wording.isOpen(answer.risk, risk);
  const base = baseRate(answer.risk, knee);
  const label = wording.riskLabel(knee, risk, base, sport);
  const isCalm = !wording.isRaised(risk.band);
  const count = text("page.risk.in_100", { count: in100(risk.probability) });
  return html`<div class="live__knee">${name}<strong class="num">${count}</strong>
    ${riskBar(risk, base, { isCalm, isOpen, label })}
    <p class="live__more"><span class="small quiet num">${intervalText(risk)}</span>
      ${bandTag(risk, isOpen)}</p></div>`;
}

function noRisk(answer, knee) {
  if (hurtsNow(answer, knee)) return text("page.no_risk.tag.hurts");
  return text("page.no_risk.tag.none");
}

function patternItem(answer) {
  if (!answer.imbalances?.length) return nothing;
  const named = wording.SIDES.flatMap((side) =>
    answer.imbalances.filter(
      (imbalance) => imbalance.side === side && ["clear", "possible"].includes(imbalance.status),
    ),
  );
  const lines = named.length
    ? named.map(patternLine)
    : html`<dd>${text("page.live.no_pattern")}
        <span class="small">${openPatterns(answer)}</span></dd>`;
  return html`<div><dt>${text("page.live.patterns")}</dt>${lines}</div>`;
}

function patternLine({ side, label, status, named_again: p }) {
  const name = text("page.titled", { title: wording.sideName(side), name: label });
  const repeat = text("page.live.pattern_again", {
    status: wording.pattern(status),
    again: again(p ?? 0),
  });
  return html`<dd>${name}<span class="small num">${repeat}</span></dd>`;
}

function openPatterns({ imbalances }) {
  const count = imbalances.filter((imbalance) => imbalance.status === "cannot_tell").length;
  return count
    ? text("page.live.open_patterns", { count, all: imbalances.length })
    : capitalized(text("page.none_points"));
}

function nextTestItem(answer) {
  const [test] = worthwhile(answer);
  const name = html`<dt>${text("page.next_test.heading")}</dt>`;
  if (!test) {
    const none = answer.next_tests.length ? text("page.next_test.none") : "";
    return none ? html`<div>${name}<dd>${none}</dd></div>` : nothing;
  }
  const minutes = text("page.next_test.minutes", { minutes: fixed(test.minutes, 0) });
  const parts = [minutes, gain(test, answer)];
  return html`<div>${name}<dd>${test.label}<span class="small num">${parts.join(". ")}</span></dd></div>`;
}

// What the answer waits for: values at fault, and values that need a protocol.
function onHold(state) {
  const paths = Object.keys(state.faults);
  if (!paths.length && !state.waiting.length) return nothing;
  const name = (path) => state.labels[path] ?? path;
  const needs = (path) =>
    state.faults[path].waits
      ? text("page.live.needed_by", { measures: list(state.waiting.map(name)) })
      : text("page.live.to_be_fixed");
  const station = (path) => `#st-${state.stationOf[path] ?? "athlete"}`;
  return html`<div class="live__held" role="group" aria-label=${text("page.live.on_hold")}>
    <b>${text("page.live.waiting_for")}</b>
    <ul>${paths.map(
      (path) => html`<li><a href=${station(path)}>${name(path)}</a>: ${needs(path)}</li>`,
    )}</ul></div>`;
}

function strip(state) {
  const count = Object.keys(state.faults).length;
  const label = count ? text("page.live.answer_on_hold", { count }) : text("page.nav.answer");
  return html`<a class="strip" href="#answer">${stripContent(state)}<em class="btn btn--main">
    <span class="vh">${text("page.live.open_prefix")} </span>${label}</em></a>`;
}

function stripContent({ answer, problem }) {
  if (!answer) {
    const message = problem ? text("page.live.no_answer") : text("page.live.age_and_sex");
    return html`<span class="strip__all">${message}</span>`;
  }
  if (answer.risk.status === "refer") {
    const { when } = answer.red_flags[0];
    const words = text("page.referral.short", { when });
    return html`<span class="strip__all strip__flag"><b>${words}</b></span>`;
  }
  const why = wording.whyNoNumber(answer.risk);
  if (why) {
    return html`<span class="strip__all">${variant("page.no_risk.headline", why.code)}</span>`;
  }
  return kneesOf(answer.risk).map((knee) => stripKnee(answer, knee));
}

function stripKnee(answer, knee) {
  const risk = answer.risk[knee];
  const none = hurtsNow(answer, knee) ? text("page.live.hurts") : "–";
  const content = risk ? html`${in100(risk.probability)} <i>${interval(risk.interval)}</i>` : none;
  return html`<span>${wording.kneeName(knee)} <b class="num">${content}</b></span>`;
}

/** One sentence for those who listen. */
export function spokenAnswer(state) {
  const { answer } = state;
  if (!answer) return "";
  if (answer.risk.status === "refer") {
    return text("page.live.spoken_referral", { when: answer.red_flags[0].when });
  }
  const faults = Object.keys(state.faults).length;
  const held = faults ? ` ${plural("page.live.spoken_held", faults)}` : "";
  const known = knownKnees(answer);
  if (!known.length) return `${answer.summary[0]}${held}`;
  const knees = known.map((knee) => {
    const risk = answer.risk[knee];
    return text("page.live.spoken_knee", {
      knee: wording.kneeName(knee),
      count: in100(risk.probability),
      interval: interval(risk.interval),
    });
  });
  return `${knees.join(". ")}.${held}`;
}
