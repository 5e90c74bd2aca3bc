// The team view: a sheet comes in, the squad stands below.
import { html, nothing } from "../vendor/lit-html.js";
import { day } from "../words.js";
import { today } from "./priority.js";
import { check, chooser } from "./sheet.js";
import { squad } from "./squad.js";
import { many } from "./words.js";

export function teamView(state, { team: act }) {
  const { team } = state;
  const over = (event, on) => {
    event.preventDefault();
    event.currentTarget.classList.toggle("is-over", on);
  };
  const dropped = (event) => {
    over(event, false);
    act.take(event.dataTransfer.files[0]);
  };
  return html`<section class="view team" aria-labelledby="h-team" @dragover=${(e) => over(e, true)} @dragleave=${(e) => over(e, false)} @drop=${dropped}>
    ${head(team)}
    ${team.problem ? html`<div class="flags flags--state" role="alert"><svg width="30" height="30" aria-hidden="true"><use href="#i-flag"></use></svg><p><b>${team.problem}</b></p></div>` : nothing}
    ${aside(team, act)}
    ${team.sheet ? check(state, act) : team.athletes.length && !team.looking ? nothing : drop(team, act)}
    ${team.athletes.length ? squad(state, act) : nothing}
  </section>`;
}

function head(team) {
  return html`<div class="head"><div><h1 id="h-team" tabindex="-1">${title(team)}</h1><p>${subtitle(team)}</p></div></div>`;
}

function title(team) {
  if (!team.athletes.length) return team.sheet ? "Check the sheet before it is scored" : "Team";
  const first = today(team).size;
  return team.busy ? `Scoring ${many(team.athletes.length, "athlete")}` : first ? `${first} to see first` : "Squad";
}

function subtitle({ athletes, sheet, name }) {
  if (athletes.length) return `${many(athletes.length, "athlete")} from ${name}. ${screened(athletes)}`;
  if (!sheet) return "Bring the sheet you have: a whole squad is read, checked with you and scored.";
  const { ready, bad, waiting } = sheet.counts;
  return `${many(ready, "row is", "rows are")} ready, ${bad} to mend${waiting ? `, ${waiting} wait for an answer` : ""}. Nothing is scored before you accept.`;
}

function screened(athletes) {
  const dates = athletes.map((one) => one.date).sort(), first = dates[0], last = dates.at(-1);
  return first === last ? `Screened ${day(first)}.` : `Screened from ${day(first)} to ${day(last)}.`;
}

function aside(team, act) {
  if (!team.aside) return nothing;
  const name = team.aside.name.trim();
  return html`<div class="flags flags--state"><svg width="30" height="30" aria-hidden="true"><use href="#i-form"></use></svg>
    <p><b>A form was begun before${name ? `: ${name}` : ""}.</b><span class="small">It was put aside when an athlete was opened from the squad.</span></p><button class="btn" type="button" @click=${act.takeUp}>Take it up again</button></div>`;
}

function drop(team, act) {
  return html`<section class="card" aria-labelledby="h-drop"><h2 id="h-drop">Your sheet</h2>
    <div class="drop"><p><b>Drop a CSV or Excel file here.</b> <span class="quiet">One row for each athlete, or one for each leg. Titles above the column names, other units and decimal commas are fine: nothing is changed without your yes.</span></p>
      ${chooser(team, act, "Choose a file")}</div>
    <ol class="steps"><li><b>Read.</b> Columns and units are proposed, bad cells marked with the reason.</li><li><b>Check.</b> You answer what is open and correct what is wrong.</li><li><b>Score.</b> Good rows become the squad; the others you take home with reasons.</li></ol>
    <p class="small quiet">The service reads the file and keeps nothing of it. For the scores only measures are sent, no names. The squad stays in this tab until you close it or press “Forget everything kept here” in the form.</p>
  </section>`;
}
