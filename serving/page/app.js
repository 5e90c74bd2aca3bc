// The page: which view is open, how it is drawn, and where it starts.
import { emptyClub } from "./club/club_state.js";
import { keepActions } from "./actions/keep_actions.js";
import { refreshReport, reportActions, showReport } from "./actions/report_actions.js";
import { answerDraft, screeningActions } from "./actions/screening_actions.js";
import { trainingLogActions } from "./actions/training_log_actions.js";
import { followUp, visitActions } from "./actions/visit_actions.js";
import { whatIfActions } from "./actions/what_if_actions.js";
import { getJson } from "./lib/api_client.js";
import { keepsRecords } from "./lib/club_records.js";
import { allFields, protocolNeeds, stationsOf } from "./lib/form_fields.js";
import { emptyDraft, removeAll, storeTheme } from "./lib/local_storage.js";
import { assemble } from "./lib/screening_body.js";
import { byId, draw, setRenderer, state } from "./lib/state.js";
import { addTexts, text, variant } from "./lib/texts.js";
import { emptyTeam } from "./team/squad_state.js";
import { nothing, render } from "./vendor/lit-html.js";
import { answerView } from "./views/answer_view.js";
import { liveAnswer } from "./views/live_answer.js";
import { reportView } from "./views/report_view.js";
import { screeningForm } from "./views/screening_form.js";
import { visitsView } from "./views/visits_view.js";

// The team view is the only one that most people never open: it loads when it is first opened.
let team = null;

async function loadTeam() {
  const [{ teamView }, { teamActions, scoreChanged }] = await Promise.all([
    import("./team/team_view.js"),
    import("./team/team_actions.js"),
  ]);
  team = { view: teamView, actions: teamActions, scoreChanged };
}

// So does what opens a club's records.
let club = null;

async function loadClub() {
  const [{ clubView }, { clubActions, refreshClub }] = await Promise.all([
    import("./club/club_view.js"),
    import("./club/club_actions.js"),
  ]);
  club = { view: clubView, actions: clubActions, refresh: refreshClub };
}

const recordsView = () => (club ? club.view(state, club.actions) : nothing);

const VIEWS = {
  screen: screeningForm,
  answer: answerView,
  team: () => (team ? team.view(state, team.actions) : nothing),
  visits: visitsView,
  report: reportView,
  ...(keepsRecords() ? { club: recordsView, monitoring: recordsView } : {}),
};
/** The entry of the navigation that a view stands behind, where it has none of its own. */
const ENTRY_OF = { monitoring: "club" };
/** Parts of a view have ids that begin with its letter. */
const VIEW_OF_PREFIX = { "a-": "answer", "v-": "visits", "t-": "team" };

const actions = {
  ...screeningActions,
  ...whatIfActions,
  ...visitActions,
  ...reportActions,
  ...trainingLogActions,
  ...keepActions,
  forgetAll() {
    team?.actions.stopScoring();
    state.team = emptyTeam();
    const isGone = removeAll();
    delete document.documentElement.dataset.theme;
    Object.assign(state, {
      draft: emptyDraft(),
      club: emptyClub(),
      visits: [],
      followUp: null,
      answer: null,
    });
    Object.assign(state, assemble(state.draft, state.fields, state.protocolNeeds));
    state.reportStatus = "none";
    answerDraft();
    state.forgetMessage = isGone ? text("page.storage.forgotten") : text("page.storage.some_left");
    byId("sheet").removeAttribute("srcdoc");
    draw();
  },
};

setRenderer(() => {
  state.liveAnswer = liveAnswer(state);
  render(VIEWS[state.view](state, actions), byId("main"));
  const isTeamAtWork = state.team.isBusy || state.team.isAskingTests;
  const isWorking = state.isPending || state.isLoading || isTeamAtWork || state.club.isBusy;
  document.documentElement.dataset.state = isWorking ? "working" : "settled";
  showReport();
});

// -- views -----------------------------------------------------------------------------------

const viewOf = (hash) => {
  const name = hash.slice(1);
  return name in VIEWS ? name : (VIEW_OF_PREFIX[name.slice(0, 2)] ?? "screen");
};

async function route({ isFirst }) {
  const view = viewOf(location.hash);
  const isNewView = view !== state.view && !isFirst;
  await loadLate(view);
  state.view = view;
  for (const link of document.querySelectorAll(".views a")) {
    if (link.hash === `#${ENTRY_OF[view] ?? view}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const title = isClub(view) ? variant("club.view_title", view) : variant("page.view_title", view);
  document.title = text("page.document_title", { view: title });
  refresh(view);
  draw();
  // Once it is drawn.
  queueMicrotask(() => queueMicrotask(() => moveFocus(isNewView)));
}

const isClub = (view) => VIEWS[view] === recordsView;

async function loadLate(view) {
  if (view === "team" && !team) await loadTeam();
  if (isClub(view) && !club) await loadClub();
}

/** Ask for what a view shows, where that may have changed since it was last open. */
function refresh(view) {
  if (view === "visits") followUp();
  if (view === "team") team.scoreChanged();
  if (view === "answer" || view === "report") refreshReport(0);
  if (isClub(view)) club.refresh();
}

// Focus goes where the eye goes: to the heading of a new view, or to the part that was asked for.
function moveFocus(isNewView) {
  const id = location.hash.slice(1);
  const part = id in VIEWS ? null : byId(id);
  if (part) {
    if (part.tagName === "DETAILS") part.open = true;
    part.scrollIntoView();
    if (part.tabIndex < 0) part.focus({ preventScroll: true });
  } else if (isNewView) {
    scrollTo(0, 0);
    document.querySelector("main h1")?.focus({ preventScroll: true });
  }
}

byId("theme").addEventListener("click", () => {
  const root = document.documentElement;
  const isSystemDark = matchMedia("(prefers-color-scheme: dark)").matches;
  const current = root.dataset.theme ?? (isSystemDark ? "dark" : "light");
  root.dataset.theme = current === "dark" ? "light" : "dark";
  storeTheme(root.dataset.theme);
});

// -- start -----------------------------------------------------------------------------------

async function loadDocuments() {
  const model = getJson("v1/model").catch(() => null);
  const documents = [getJson("v1/schema"), getJson("v1/texts"), model];
  const [schema, texts, modelDocument] = await Promise.all(documents);
  addTexts(texts.words);
  return { schema, texts, model: modelDocument };
}

function describeFields({ schema, texts, model }) {
  const stations = stationsOf(schema, model);
  const fields = allFields(stations);
  for (const field of fields) field.units = texts.units[field.name] ?? [];
  const byKey = (key, content) =>
    Object.fromEntries(fields.map((field) => [field[key], content(field)]));
  const label = (field) => field.label;
  Object.assign(state, {
    texts,
    model,
    stations,
    fields,
    protocolNeeds: protocolNeeds(schema),
    fieldOf: byKey("column", (field) => field),
    labels: { ...byKey("column", label), ...byKey("path", label) },
    stationOf: byKey("path", (field) => field.measure.station),
  });
}

function showModel(model) {
  byId("kind").hidden = false;
  byId("kind").lastElementChild.textContent = variant("page.model_cohort", model.cohort);
  byId("foot").textContent = text("page.footer", { version: model.version });
}

async function start() {
  try {
    const documents = await loadDocuments();
    describeFields(documents);
    if (documents.model) showModel(documents.model);
  } catch (error) {
    // The catalogue may be what did not arrive, so this sentence stands in the page's HTML.
    const main = byId("main");
    main.textContent = main.dataset.unreachable.replace("{reason}", error.message);
    return;
  }
  addEventListener("hashchange", () => route({ isFirst: false }));
  state.view = viewOf(location.hash);
  await answerDraft();
  route({ isFirst: true });
}

start();
