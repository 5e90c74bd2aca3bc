// The team view: a sheet comes in, the squad stands below.
import { icon } from "../lib/icon.js";
import { longDate } from "../lib/number_format.js";
import { plural, text, variant } from "../lib/texts.js";
import { html, nothing } from "../vendor/lit-html.js";
import { fileChooser, sheetCard } from "./sheet_view.js";
import { nextForAll } from "./next_for_all.js";
import { filtered, groupOf } from "./squad_order.js";
import { squadCard } from "./squad_view.js";

export function teamView(state, actions) {
  const { team } = state;
  const markDropTarget = (event, isOver) => {
    event.preventDefault();
    event.currentTarget.classList.toggle("is-over", isOver);
  };
  const drop = (event) => {
    markDropTarget(event, false);
    actions.chooseFiles([...event.dataTransfer.files]);
  };
  return html`<section class="view team" aria-labelledby="h-team"
    @dragover=${(event) => markDropTarget(event, true)}
    @dragleave=${(event) => markDropTarget(event, false)} @drop=${drop}>
    <div class="head"><div><h1 id="h-team" tabindex="-1">${title(team)}</h1>
      <p>${subtitle(team)}</p></div></div>
    ${team.problem ? problemLine(team.problem) : nothing}
    ${team.setAside ? setAsideLine(team.setAside, actions) : nothing} ${sheet(state, actions)}
    ${team.athletes.length ? squadCard(state, actions) : nothing}
  </section>`;
}

function sheet(state, actions) {
  const { team } = state;
  const isClosed = team.athletes.length && !team.isSheetOpen;
  if (isClosed) return nothing;
  return team.sheet ? sheetCard(state, actions) : dropCard(team, actions);
}

function title(team) {
  const { athletes } = team;
  if (!athletes.length) {
    return team.sheet ? text("page.team.title.check") : text("page.team.title.start");
  }
  if (team.isBusy) {
    const names = plural("page.squad.athletes", athletes.length);
    return text("page.team.title.scoring", { athletes: names });
  }
  const ranked = filtered(team).filter((athlete) => groupOf(athlete) === "ranked");
  const count = Math.min(ranked.length, team.capacity);
  if (!count) return text("page.team.title.squad");
  const hasTest = nextForAll(athletes) !== null;
  return hasTest
    ? text("page.team.title.first_and_test", { count })
    : text("page.team.title.first", { count });
}

function subtitle({ athletes, sheet: read, fileName }) {
  if (athletes.length) {
    return text("page.team.squad_from", {
      athletes: plural("page.squad.athletes", athletes.length),
      file: fileName,
      screened: screenedOn(athletes),
    });
  }
  if (!read) return text("page.team.bring");
  const { ready, bad, waiting } = read.counts;
  const waits = waiting ? text("page.team.some_wait", { count: waiting }) : "";
  return text("page.team.ready", { rows: plural("page.team.rows_ready", ready), bad, waits });
}

function screenedOn(athletes) {
  const dates = athletes.map(({ date }) => date).sort();
  const [first, last] = [longDate(dates[0]), longDate(dates.at(-1))];
  return first === last
    ? text("page.team.screened", { date: first })
    : text("page.team.screened_from", { first, last });
}

const problemLine = (problem) =>
  html`<div class="flags flags--state" role="alert">${icon("flag", 30)}
    <p><b>${problem}</b></p></div>`;

function setAsideLine(draft, actions) {
  const name = draft.name.trim();
  const begun = name ? text("page.team.begun_form_of", { name }) : text("page.team.begun_form");
  return html`<div class="flags flags--state">${icon("form", 30)}
    <p><b>${begun}</b> <span class="small">${text("page.team.set_aside")}</span></p>
    <button class="btn" type="button" @click=${actions.resumeForm}>
      ${text("page.team.resume")}</button></div>`;
}

const STEPS = ["read", "check", "score"];

function dropCard(team, actions) {
  const step = (name) => {
    const note = variant("page.team.step.note", name);
    return html`<li><b>${variant("page.team.step.name", name)}</b> ${note}</li>`;
  };
  return html`<section class="card" aria-labelledby="h-drop">
    <h2 id="h-drop">${text("page.team.your_sheet")}</h2>
    <div class="drop"><p><b>${text("page.team.drop")}</b>
      <span class="quiet">${text("page.team.drop_note")}</span></p>
      ${fileChooser(team, actions, text("page.team.choose"))}</div>
    <ol class="steps">${STEPS.map(step)}</ol>
    <p class="small quiet">${text("page.team.privacy")}</p>
  </section>`;
}
