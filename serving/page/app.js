// The page's state, what changes it, and which view is open.
import { render } from "./vendor/lit-html.js";
import { answerView } from "./answer.js";
import { get, predict } from "./ask.js";
import { assemble } from "./check.js";
import { allFields, needs, stations } from "./fields.js";
import { askFollowUp, visitsOf, visitsView } from "./follow.js";
import { form } from "./form.js";
import * as keep from "./keep.js";
import { live, spoken } from "./live.js";
import { download, loadSheet, printSheet, reportView, showSheet } from "./report.js";
import { askWhatIf } from "./whatif.js";

/** After so long without a keystroke the answer is asked for. */
const PAUSE_MS = 150, SAY_MS = 900, SHEET_MS = 600;

const VIEWS = { screen: form, answer: answerView, visits: visitsView, report: reportView };
const emptyWhatIf = () => ({ targets: {}, added: [], notes: {}, result: null, problem: null });

const state = {
  view: "screen", draft: keep.draft(), visits: keep.visits(), faults: {}, waits: [], body: null,
  answer: null, problem: null, asking: false, pending: false, open: new Set(), whatIf: emptyWhatIf(), follow: null,
  sheet: "none", forgot: "", saved: "", deleting: null,
};

const $ = (id) => document.getElementById(id);
let drawn = false;

function draw() {
  if (drawn) return;
  drawn = true;
  queueMicrotask(() => {
    drawn = false;
    state.live = live(state);
    render(VIEWS[state.view](state, act), $("main"));
    document.documentElement.dataset.state = state.pending || state.asking ? "working" : "settled";
    showSheet(state.view === "report", state.sheet === "ready" && Boolean(state.answer));
  });
}

function debounce(what) {
  let timer = 0;
  return (after) => {
    clearTimeout(timer);
    timer = setTimeout(what, after);
  };
}

// -- the answer ------------------------------------------------------------------------------

let inFlight = null;

async function ask() {
  state.pending = false;
  const found = assemble(state.draft, state.fields, state.needs);
  inFlight?.abort();
  Object.assign(state, { faults: found.faults, waits: found.waits });
  if (!found.ready) {
    Object.assign(state, { answer: null, problem: null, asking: false, body: null });
    return draw();
  }
  const mine = (inFlight = new AbortController());
  state.asking = true;
  try {
    const { answer, faults, body } = await predict(found.body, mine.signal);
    Object.assign(state, { answer, body, problem: null, faults: { ...found.faults, ...faults } });
    Object.assign(state.whatIf, { ...emptyWhatIf(), added: state.whatIf.added });
  } catch (error) {
    if (error.name === "AbortError") return undefined;
    Object.assign(state, { answer: null, body: null, problem: `No answer: ${error.message}` });
  }
  state.asking = false;
  say(SAY_MS);
  refreshSheet(SHEET_MS);
  return draw();
}

const askSoon = debounce(ask);
const say = debounce(() => {
  $("say").textContent = spoken(state);
});

// Faults show as typed; the answer follows after a pause.
function changed(pause = PAUSE_MS) {
  keep.keepDraft(state.draft);
  const { faults, waits } = assemble(state.draft, state.fields, state.needs);
  Object.assign(state, { faults, waits, forgot: "", saved: "", sheet: "none", pending: true });
  draw();
  askSoon(pause);
}

// -- the report ------------------------------------------------------------------------------

let sheetFlight = null;

async function makeSheet() {
  if (!state.body || !["answer", "report"].includes(state.view) || state.sheet === "ready") return;
  sheetFlight?.abort();
  const mine = (sheetFlight = new AbortController());
  try {
    $("sheet").hidden = false;
    await loadSheet(state.body, state.draft, mine.signal);
    state.sheet = "ready";
  } catch (error) {
    if (error.name === "AbortError") return;
    Object.assign(state, { sheet: "failed", sheetProblem: error.message });
  }
  draw();
}

const refreshSheet = debounce(makeSheet);

// -- what if, visits -------------------------------------------------------------------------

let whatIfFlight = null;
const askWhatIfSoon = debounce(async () => {
  whatIfFlight?.abort();
  const mine = (whatIfFlight = new AbortController());
  try {
    const { result, notes } = await askWhatIf(state.body, state.whatIf.targets, mine.signal);
    Object.assign(state.whatIf, { result, notes, problem: null });
  } catch (error) {
    if (error.name === "AbortError") return;
    state.whatIf.problem = error.message;
  }
  draw();
});

async function follow() {
  const own = visitsOf(state.visits, state.draft.name);
  state.follow = null;
  draw();
  if (own.length > 1) {
    const told = await askFollowUp(own).catch((error) => ({ faults: [error.message] }));
    state.follow = told;
    draw();
  }
}

function setVisits(visits) {
  state.visits = visits;
  const kept = keep.keepVisits(visits);
  follow();
  return kept;
}

/** The request that is shown everywhere, as the form holds it. */
const example = (body) => Object.fromEntries(
  Object.entries(body).filter(([, part]) => !Array.isArray(part)).flatMap(([section, part]) =>
    Object.entries(part).map(([name, value]) => [`${section}.${name}`, String(value)])),
);

const act = {
  value(path, text) {
    state.draft.values = { ...state.draft.values, [path]: text };
    if (!text) delete state.draft.values[path];
    changed();
  },
  set(name, value) {
    state.draft[name] = value;
    changed();
  },
  flag(code, on) {
    const rest = state.draft.flags.filter((one) => one !== code);
    const acute = code === "acute_injury_within_7_days" && !on;
    const after = state.texts.red_flags.filter((flag) => flag.needs_acute_injury).map((flag) => flag.code);
    state.draft.flags = on ? [...rest, code] : rest.filter((one) => !acute || !after.includes(one));
    state.draft.cleared = false;
    changed(0);
  },
  example() {
    state.draft = { ...keep.emptyDraft(), name: "Example", values: example(state.texts.example), cleared: true };
    changed(0);
  },
  clear() {
    state.draft = keep.emptyDraft();
    changed(0);
    $("h-screen").focus();
  },
  forget() {
    const gone = keep.forget();
    Object.assign(state, { draft: keep.emptyDraft(), visits: [], follow: null });
    delete document.documentElement.dataset.theme;
    Object.assign(state, assemble(state.draft, state.fields, state.needs), { answer: null, sheet: "none" });
    ask();
    state.forgot = gone ? "Forgotten. Nothing of yours is left in this browser." : "This browser kept something back.";
    $("sheet").removeAttribute("srcdoc");
    draw();
  },
  whatIf(what, column, target, measured) {
    if (what === "reset") state.whatIf = emptyWhatIf();
    if (what === "add" && column) state.whatIf.added = [...state.whatIf.added, column];
    if (what === "move") {
      if (Math.abs(target - measured) < 1e-9) delete state.whatIf.targets[column];
      else state.whatIf.targets[column] = target;
      askWhatIfSoon(80);
    }
    draw();
  },
  save() {
    const { name, date } = state.draft;
    const rest = state.visits.filter((one) => !(one.name.trim().toLowerCase() === name.trim().toLowerCase() && one.date === date));
    const one = { id: crypto.randomUUID?.() ?? String(Date.now()), name: name.trim(), date, draft: structuredClone(state.draft), body: state.body };
    state.saved = setVisits([...rest, one]) ? "Saved in this browser." : "This browser does not keep anything, so the visit is lost when you leave.";
    draw();
  },
  open(id) {
    state.draft = structuredClone(state.visits.find((one) => one.id === id).draft);
    changed(0);
    follow();
  },
  // What stays from visit to visit is taken over: who, protocols; what is measured is not.
  next(id) {
    const last = state.visits.find((one) => one.id === id).draft;
    const stays = (path) => path.startsWith("protocol.") || ["athlete.age_years", "athlete.sex", "athlete.sport", "athlete.level", "athlete.height_cm"].includes(path);
    const values = Object.fromEntries(Object.entries(last.values).filter(([path]) => stays(path)));
    state.draft = { ...keep.emptyDraft(), name: last.name, equipment: last.equipment, values };
    changed(0);
    location.hash = "#screen";
  },
  askRemove(id) {
    state.deleting = id;
    draw();
  },
  remove(id) {
    state.deleting = null;
    setVisits(state.visits.filter((one) => one.id !== id));
  },
  async print() {
    await makeSheet();
    if (state.sheet === "ready") printSheet();
    else location.hash = "#report";
  },
  download() {
    const { name, date } = state.draft;
    download(`screening-${date}.json`, { name, date, screening: state.body, answer: state.answer });
  },
};

// -- views -----------------------------------------------------------------------------------

const viewOf = (hash) => {
  const name = hash.slice(1);
  if (name in VIEWS) return name;
  return name.startsWith("a-") ? "answer" : name.startsWith("v-") ? "visits" : "screen";
};

function route(first) {
  const view = viewOf(location.hash), moved = view !== state.view;
  state.view = view;
  for (const link of document.querySelectorAll(".views a")) {
    if (link.hash === `#${view}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const title = { screen: "Screening", answer: "Answer", visits: "Visits", report: "Report" }[view];
  document.title = `${title} · kneerisk`;
  if (view === "visits") follow();
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
