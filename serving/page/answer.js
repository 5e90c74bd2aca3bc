// The whole answer. A red flag replaces everything else on it.
import { html, nothing } from "./vendor/lit-html.js";
import { advice, differences, nextTests, used } from "./advice.js";
import { drivers } from "./drivers.js";
import { eitherLine, hurts, kneeCard, knees } from "./knees.js";
import { legs } from "./legs.js";
import { patterns } from "./patterns.js";
import { whatIf } from "./whatif.js";
import { BAND, SIDE, STATUS, choice, day } from "./words.js";

export function answerView(state, act) {
  const { answer } = state;
  if (!answer) return nothing_yet(state);
  if (answer.risk.status === "refer") return refer(state, act);
  const sport = state.draft.values["athlete.sport"];
  return html`<section class="view" aria-labelledby="h-answer">
    ${head(state, headline(answer))}
    ${jumps(answer)}
    ${flagsLine(answer)}
    ${stateLine(answer)}
    ${knees(answer.risk)[0] === "either"
      ? html`<div class="two" id="a-risk">${kneeCard(answer, "either", sport)}${legs(answer, state.texts.leg_drawing)}</div>`
      : html`<div class="hero" id="a-risk">${kneeCard(answer, "right", sport)}${legs(answer, state.texts.leg_drawing)}${kneeCard(answer, "left", sport)}</div>`}
    ${eitherLine(answer, sport)}
    ${patterns(answer)}
    ${drivers(answer, sport)}
    <div class="section two">${nextTests(answer, state.draft, act, state.texts)}${differences(answer)}</div>
    ${advice(answer)}
    ${whatIf(state, act)}
    <div class="section">${used(answer, state.labels)}</div>
    ${notice(state)}
  </section>`;
}

function nothing_yet(state) {
  return html`<section class="view" aria-labelledby="h-answer"><div class="head"><div><h1 id="h-answer" tabindex="-1">No answer yet</h1>
    <p>${state.problem ?? "Age and sex are enough for a first one."}</p></div></div><a class="btn btn--main" href="#screen">To the form</a></section>`;
}

export function about(draft) {
  const v = draft.values, parts = [];
  if (v["athlete.age_years"]) parts.push(v["athlete.age_years"]);
  if (v["athlete.sex"]) parts.push(v["athlete.sex"] === "unspecified" ? "sex not stated" : v["athlete.sex"]);
  if (v["athlete.sport"]) parts.push(choice(v["athlete.sport"]).toLowerCase());
  return `${parts.join(", ")}. Screened ${day(draft.date)}.`;
}

function head(state, text) {
  const { draft, answer } = state;
  return html`<div class="head"><div><h1 id="h-answer" tabindex="-1">${draft.name ? `${draft.name}: ${text}` : text[0].toUpperCase() + text.slice(1)}</h1><p>${about(draft)}</p></div>
    <p class="small"><span class="tag"><svg width="16" height="16" aria-hidden="true"><use href="#i-sim"></use></svg>Model: ${answer.model.cohort} athletes${answer.model.cohort === "simulated" ? ", not validated on people" : ""}</span></p></div>`;
}

function headline(answer) {
  if (answer.risk.status === "low_information") return "too little measured to say much";
  const said = knees(answer.risk).map((knee) => {
    const risk = answer.risk[knee];
    return [knee, risk ? BAND[risk.band].toLowerCase() : hurts(answer, knee) ? "hurts now" : "no risk"];
  });
  if (said.length === 2 && said[0][1] === said[1][1]) return `both knees ${said[0][1].replace("hurts", "hurt")}`;
  return said.map(([knee, what]) => `${SIDE[knee].toLowerCase()} knee ${what}`).join(", ");
}

function jumps(answer) {
  const all = [
    ["a-risk", "Risk", true], ["a-patterns", "Patterns", answer.imbalances?.length], ["a-drivers", "Drivers", answer.drivers.length],
    ["a-next", "Next test", true], ["a-sides", "Sides", answer.side_differences?.length], ["a-advice", "What to do", answer.advice?.length],
    ["a-whatif", "What if", answer.risk.either || answer.risk.right || answer.risk.left],
  ];
  return html`<nav class="walk" aria-label="Parts of the answer">${all.filter(([, , on]) => on).map(([to, name]) => html`<a href=${`#${to}`}>${name}</a>`)}</nav>`;
}

function flagsLine(answer) {
  const soon = answer.red_flags;
  if (soon.length) {
    return html`<div class="flags flags--soon"><svg width="30" height="30" aria-hidden="true"><use href="#i-flag"></use></svg><p><b>Tell a clinician soon.</b><span class="small">${soon.map((f) => f.reason).join(". ")}. ${soon[0].act}</span></p><a class="btn" href="#st-flags">See the questions</a></div>`;
  }
  const cleared = answer.red_flags_status === "cleared";
  return html`<div class=${cleared ? "flags" : "flags flags--ask"}><svg width="30" height="30" aria-hidden="true"><use href=${cleared ? "#i-ok" : "#i-flag"}></use></svg>
    <p><b>${cleared ? "No red flag ticked." : "Red flags were not asked."}</b><span class="small">${cleared ? "All questions asked, none applies. This does not rule out an injury." : "Ask them before you act on anything here."}</span></p>
    <a class="btn" href="#st-flags">${cleared ? "See the questions" : "Ask them now"}</a></div>`;
}

function stateLine(answer) {
  const { status, reasons } = answer.risk;
  if (status === "ok" || !STATUS[status]) return nothing;
  const rest = reasons.filter((one) => one.code !== "refer");
  return html`<div class="flags flags--state"><svg width="30" height="30" aria-hidden="true"><use href="#i-sim"></use></svg><p><b>${STATUS[status]}</b>
    ${rest.map((one) => html`<span class="small">${one.message[0].toUpperCase() + one.message.slice(1)}.</span>`)}</p><a class="btn" href="#screen">To the form</a></div>`;
}

function refer(state, act) {
  const { answer } = state, [first] = answer.red_flags;
  const question = (code) => state.texts.red_flags.find((flag) => flag.code === code)?.question;
  return html`<section class="view" aria-labelledby="h-answer">
    ${head(state, `see a clinician ${first.when}`)}
    <div class="flags flags--refer" role="alert"><svg width="40" height="40" aria-hidden="true"><use href="#i-flag"></use></svg>
      <div><h2>See a clinician ${first.when}. No score is given.</h2>
        <p>A red flag was ticked, so no risk, no muscle pattern and no advice is shown. They would not be safe to act on.</p>
        <ul>${answer.red_flags.map((flag) => html`<li><b>${question(flag.code) ?? flag.reason}</b><span>${question(flag.code) ? `Yes. ${flag.reason}.` : ""}</span></li>`)}</ul>
        <p><b>What to do:</b> ${first.act}</p>
        <div class="acts"><button class="btn btn--main" type="button" @click=${act.print}>Print a referral note</button><a class="btn" href="#st-flags">Change the answers</a></div></div>
    </div>
    ${notice(state)}
  </section>`;
}

export function notice({ answer, model }) {
  const one = answer.model;
  return html`<section class="section card notice" aria-labelledby="h-not"><div><h2 id="h-not">What this is, and is not</h2><p>${answer.notice}</p></div>
    <dl><dt>Model</dt><dd>${one.version}</dd><dt>Cohort</dt><dd>${one.cohort}${model?.athletes ? `, ${model.athletes.toLocaleString("en")} athletes` : ""}</dd><dt>Run</dt><dd>${one.run_id}</dd>${one.git_sha ? html`<dt>Code</dt><dd>git ${one.git_sha.slice(0, 10)}</dd>` : nothing}<dt>Schema</dt><dd>${one.schema}</dd></dl></section>`;
}
