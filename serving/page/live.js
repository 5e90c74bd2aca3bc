// The answer as it grows, beside the form; and as a strip above the thumb on a phone.
import { html, nothing } from "./vendor/lit-html.js";
import { riskBar, riskWords } from "./charts.js";
import { bandTag, baseOf, hurts, knees } from "./knees.js";
import { PATTERN, SIDE, SIDES, STATUS, in100, interval, list, outcome, people, raised } from "./words.js";

export function live(state) {
  return html`<aside class="card live" aria-labelledby="h-live">
    <div class="card__head"><h2 id="h-live">Answer so far</h2>${state.asking ? html`<p>working</p>` : nothing}</div>
    ${panel(state)}
    <a class=${state.answer ? "btn btn--main" : "btn"} href="#answer">Open the full answer</a>
  </aside>${strip(state)}`;
}

function panel(state) {
  if (state.problem) return html`<p class="live__no">${state.problem}</p>${held(state)}`;
  if (!state.answer) return html`<p class="live__no">Age and sex are enough for a first answer. It narrows with every test.</p>${held(state)}`;
  const { answer } = state, sport = state.draft.values["athlete.sport"];
  if (answer.risk.status === "refer") return refer(answer);
  const { title, when } = outcome(answer.risk);
  return html`${knees(answer.risk).map((knee) => kneeLine(answer, knee, sport))}
    ${held(state)}
    <p class="small quiet num">${title}${when}. Scale 0 to 40 in 100; dashed line: ${people(sport)} in general, ${in100(baseOf(answer.risk, knees(answer.risk)[0]) ?? 0)} per knee.</p>
    <dl>
      ${answer.risk.status === "low_information" ? html`<div><dt>State</dt><dd>${STATUS.low_information}</dd></div>` : nothing}
      ${answer.risk.status === "out_of_population" ? html`<div><dt>State</dt><dd>${STATUS.out_of_population}</dd></div>` : nothing}
      ${patterns(answer)}
      ${next(answer)}
    </dl>`;
}

function refer(answer) {
  const [first] = answer.red_flags;
  return html`<div class="live__refer"><svg width="30" height="30" aria-hidden="true"><use href="#i-flag"></use></svg>
    <p><b>See a clinician ${first.when}. No score is given.</b><span class="small">${answer.red_flags.map((f) => f.reason).join(". ")}.</span></p></div>`;
}

function kneeLine(answer, knee, sport) {
  const risk = answer.risk[knee], open = answer.risk.status === "low_information";
  if (!risk) {
    return html`<div class="live__knee"><span>${SIDE[knee]} knee</span><strong>${hurts(answer, knee) ? "Hurts now" : "No risk"}</strong></div>`;
  }
  const label = `${SIDE[knee]} knee: ${riskWords(risk)}; ${people(sport)} in general ${in100(baseOf(answer.risk, knee) ?? 0)}`;
  return html`<div class="live__knee"><span>${SIDE[knee]} knee</span><strong class="num">${in100(risk.probability)} in 100</strong>
    ${riskBar(risk, baseOf(answer.risk, knee), { calm: !raised(risk.band), open, label })}
    <p class="live__more"><span class="small quiet num">90 % interval ${interval(risk.interval)}</span>${bandTag(risk, open)}</p></div>`;
}

function patterns(answer) {
  if (!answer.imbalances?.length) return nothing;
  const named = SIDES.flatMap((side) => answer.imbalances.filter((one) => one.side === side && (one.status === "clear" || one.status === "possible")));
  return html`<div><dt>Patterns so far</dt>${named.length
    ? named.map((one) => html`<dd>${SIDE[one.side]}: ${one.label}<span class="small num">${PATTERN[one.status]}, ${in100(one.probability)} in 100</span></dd>`)
    : html`<dd>None named<span class="small">${open(answer)}</span></dd>`}</div>`;
}

function open(answer) {
  const count = answer.imbalances.filter((one) => one.status === "cannot_tell").length;
  return count ? `${count} of ${answer.imbalances.length} can’t be told yet` : "What was measured points to none";
}

function next(answer) {
  const [test] = answer.next_tests;
  if (!test) return nothing;
  const now = answer.risk.either && answer.risk.either.interval[1] - answer.risk.either.interval[0];
  const width = test.expected_interval_width;
  return html`<div><dt>Next best test</dt><dd>${test.label}<span class="small num">${test.minutes} min${now && width ? `. Interval of either knee from ${Math.round(100 * now)} to ${Math.round(100 * width)} points` : ""}</span></dd></div>`;
}

// What the answer waits for: values at fault, and values that need a protocol.
function held(state) {
  const bad = Object.keys(state.faults);
  if (!bad.length && !state.waits.length) return nothing;
  const name = (path) => state.labels[path] ?? path;
  return html`<div class="live__held" role="group" aria-label="On hold"><b>Waiting for</b>
    <ul>${bad.map((path) => html`<li><a href=${`#st-${state.stationOf[path] ?? "athlete"}`}>${name(path)}</a>: ${state.faults[path].wait ? `needed by ${list(state.waits.map(name))}` : "to be fixed"}</li>`)}</ul></div>`;
}

function strip(state) {
  const { answer } = state;
  const part = (knee) => {
    const risk = answer.risk[knee];
    return html`<span>${SIDE[knee]} knee <b class="num">${risk ? html`${in100(risk.probability)} <i>${interval(risk.interval)}</i>` : hurts(answer, knee) ? "hurts" : "–"}</b></span>`;
  };
  const told = !answer ? html`<span class="strip__all">${state.problem ? "No answer" : "Age and sex come first"}</span>`
    : answer.risk.status === "refer" ? html`<span class="strip__all strip__flag"><b>See a clinician ${answer.red_flags[0].when}</b></span>`
    : knees(answer.risk).map(part);
  const fix = Object.keys(state.faults).length;
  return html`<a class="strip" href="#answer">${told}<em class="btn btn--main"><span class="vh">Open the full </span>${fix ? `Answer, ${fix} on hold` : "Answer"}</em></a>`;
}

/** One sentence for those who listen. */
export function spoken(state) {
  const { answer } = state;
  if (!answer) return "";
  if (answer.risk.status === "refer") return `Red flag. See a clinician ${answer.red_flags[0].when}. No score is given.`;
  const told = knees(answer.risk).filter((knee) => answer.risk[knee]).map((knee) => {
    const risk = answer.risk[knee];
    return `${SIDE[knee]} knee ${in100(risk.probability)} in 100, ${interval(risk.interval)}`;
  });
  const fix = Object.keys(state.faults).length;
  return `${told.join(". ")}.${fix ? ` ${fix} ${fix === 1 ? "field is" : "fields are"} on hold.` : ""}`;
}
