// The page: which view is open, how it is drawn, and where it starts.
import { render } from "./vendor/lit-html.js";
import { answerView } from "./answer.js";
import { get } from "./ask.js";
import { assemble } from "./check.js";
import { allFields, needs, stations } from "./fields.js";
import { visitsView } from "./follow.js";
import { form } from "./form.js";
import * as keep from "./keep.js";
import { live } from "./live.js";
import { acts as reportActs, refreshSheet, reportView, showSheet } from "./report.js";
import { acts as screeningActs, ask } from "./screening.js";
import { $, draw, drawnBy, state } from "./state.js";
import { acts as teamActs, enter } from "./team/acts.js";
import { teamView } from "./team/view.js";
import { acts as visitActs, follow } from "./visits.js";

const VIEWS = {
  screen: { title: "Screening", view: form },
  answer: { title: "Answer", view: answerView },
  team: { title: "Team", view: teamView },
  visits: { title: "Visits", view: visitsView },
  report: { title: "Report", view: reportView },
};

const act = {
  ...screeningActs, ...visitActs, ...reportActs, team: teamActs,
  forget() {
    const gone = keep.forget();
    teamActs.drop();
    Object.assign(state, { draft: keep.emptyDraft(), visits: [], follow: null });
    delete document.documentElement.dataset.theme;
    Object.assign(state, assemble(state.draft, state.fields, state.needs), { answer: null, sheet: "none" });
    ask();
    state.forgot = gone ? "Forgotten. Nothing of yours is left in this browser." : "This browser kept something back.";
    $("sheet").removeAttribute("srcdoc");
    draw();
  },
};

drawnBy(() => {
  state.live = live(state);
  render(VIEWS[state.view].view(state, act), $("main"));
  document.documentElement.dataset.state = state.pending || state.asking || state.team.busy ? "working" : "settled";
  showSheet();
});

// -- views -----------------------------------------------------------------------------------

const viewOf = (hash) => {
  const name = hash.slice(1);
  if (name in VIEWS) return name;
  return name.startsWith("a-") ? "answer" : name.startsWith("v-") ? "visits" : name.startsWith("t-") ? "team" : "screen";
};

function route(first) {
  const view = viewOf(location.hash), moved = view !== state.view;
  state.view = view;
  for (const link of document.querySelectorAll(".views a")) {
    if (link.hash === `#${view}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `${VIEWS[view].title} · kneerisk`;
  if (view === "visits") follow();
  if (view === "team") enter();
  if (view === "answer" || view === "report") refreshSheet(0);
  draw();
  queueMicrotask(() => queueMicrotask(() => land(moved && !first)));
}

// Focus goes where the eye goes: to the heading of a new view, or to the part that was asked for.
function land(moved) {
  const part = location.hash.slice(1) in VIEWS ? null : $(location.hash.slice(1));
  if (part) {
    if (part.tagName === "DETAILS") part.open = true;
    part.scrollIntoView();
    if (part.tabIndex < 0) part.focus({ preventScroll: true });
  } else if (moved) {
    scrollTo(0, 0);
    document.querySelector("main h1")?.focus({ preventScroll: true });
  }
}

$("theme").addEventListener("click", () => {
  const root = document.documentElement, system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const next = (root.dataset.theme ?? system) === "dark" ? "light" : "dark";
  root.dataset.theme = next;
  keep.keepTheme(next);
});

async function start() {
  try {
    const [schema, texts, model] = await Promise.all([get("v1/schema"), get("v1/texts"), get("v1/model").catch(() => null)]);
    const found = stations(schema, model), fields = allFields(found);
    const byColumn = (what) => Object.fromEntries(fields.map((field) => [field.column, what(field)]));
    Object.assign(state, {
      schema, texts, model, stations: found, fields, needs: needs(schema), fieldOf: byColumn((field) => field),
      labels: { ...byColumn((field) => field.label), ...Object.fromEntries(fields.map((f) => [f.path, f.label])) },
      stationOf: Object.fromEntries(fields.map((field) => [field.path, field.about.station])),
    });
    if (model) {
      $("kind").hidden = false;
      $("kind").lastElementChild.textContent = `Model trained on ${model.cohort} athletes`;
      $("foot").textContent = `${model.version}. A screening aid, not a medical device.`;
    }
  } catch (error) {
    $("main").textContent = `The service could not be reached: ${error.message} Reload the page to try again.`;
    return;
  }
  addEventListener("hashchange", () => route(false));
  state.view = viewOf(location.hash);
  await ask();
  route(true);
}

start();
