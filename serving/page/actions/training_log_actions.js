// A training log is read by the service and fills the form; each field can be taken back.
import { send } from "../lib/access_key.js";
import { jsonOf } from "../lib/api_client.js";
import { converted, keepUnit, toOwnUnit } from "../lib/measure_units.js";
import { byId, currentLog, draw, state } from "../lib/state.js";
import { plural } from "../lib/texts.js";
import { draftChanged, screeningActions } from "./screening_actions.js";

/** Whose log it is the form knows; no name leaves it. */
const THIS_ATHLETE = "athlete";

let inFlight = null;

function update(changes) {
  state.trainingLog = { ...currentLog(), ...changes };
  draw();
}

async function read() {
  const { files, asked } = state.trainingLog;
  inFlight?.abort();
  const { signal } = (inFlight = new AbortController());
  const body = new FormData();
  for (const file of files) body.append("file", file);
  const known = { ...asked, date: state.draft.date, athlete: THIS_ATHLETE };
  body.append("mapping", JSON.stringify(known));
  update({ isReading: true, problem: "" });
  try {
    const answer = await jsonOf(await send("v1/training_log", { method: "POST", body, signal }));
    update({ answer, who: whoIsMeant(answer), isReading: false });
    fill();
  } catch (error) {
    if (error.name === "AbortError") return;
    takeBack();
    update({ answer: null, isReading: false, problem: error.message });
    byId("say").textContent = error.message;
  }
}

// A squad's log has the athlete of the form by name, or it is asked.
function whoIsMeant({ athletes }) {
  if (athletes.length === 1) return 0;
  const own = state.draft.name.trim().toLowerCase();
  return athletes.findIndex(({ athlete }) => athlete?.toLowerCase() === own);
}

function fill() {
  takeBack();
  const { answer, who } = state.trainingLog;
  const settled = answer.athletes[who]?.measures.filter((told) => !told.waits_for) ?? [];
  const { draft } = state;
  const massField = state.fields.find(({ name }) => name === "mass_kg");
  for (const told of settled) {
    const field = state.fieldOf[told.measure];
    keepUnit(field, draft);
    const { factor } = toOwnUnit(field, draft, massField);
    const value = String(converted(told.value, 1 / factor));
    const { first_day: first, last_day: last } = told;
    const was = draft.values[field.path] ?? "";
    draft.values[field.path] = value;
    draft.fromLog = { ...draft.fromLog, [field.path]: { value, was, first, last } };
  }
  draft.values = { ...draft.values };
  draftChanged(0);
  byId("say").textContent = plural("page.training_log.filled", settled.length);
}

/** What the log filled, where it stands as it was filled, is again what was typed before. */
function takeBack(paths = Object.keys(state.draft.fromLog ?? {})) {
  const { draft } = state;
  const { ...values } = draft.values;
  const { ...fromLog } = draft.fromLog ?? {};
  for (const path of paths) {
    const { value, was } = fromLog[path];
    delete fromLog[path];
    if (values[path] !== value) continue;
    if (was) values[path] = was;
    else delete values[path];
  }
  Object.assign(draft, { values, fromLog });
}

export const trainingLogActions = {
  chooseLogs(files) {
    if (!files.length) return;
    update({ files: [...files], asked: {}, answer: null, who: 0 });
    read();
  },
  /** What the log does not say: a part of the request. */
  answerLog(ask) {
    const { asked } = currentLog();
    const sports = { ...asked.sports, ...ask.sports };
    update({ asked: { ...asked, ...ask, ...(ask.sports ? { sports } : {}) } });
    read();
  },
  chooseLogAthlete(who) {
    update({ who });
    fill();
  },
  undoFromLog(path) {
    takeBack([path]);
    draftChanged(0);
  },
  removeLog() {
    inFlight?.abort();
    takeBack();
    state.trainingLog = null;
    draftChanged(0);
    byId("log-files")?.focus();
  },
  /** Only sessions before the screening count, so another date is another load. */
  setDraft(name, content) {
    screeningActions.setDraft(name, content);
    if (name === "date" && currentLog().files.length && content) read();
  },
};
