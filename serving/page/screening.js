// What the form and the sliders do: the draft changes, and after a pause the answer is asked for.
import { predict } from "./ask.js";
import { assemble } from "./check.js";
import * as keep from "./keep.js";
import { spoken } from "./live.js";
import { refreshSheet } from "./report.js";
import { $, debounce, draw, emptyWhatIf, state } from "./state.js";
import { changedInForm } from "./team/athletes.js";
import { askWhatIf } from "./whatif.js";

/** After so long without a keystroke the answer is asked for. */
const PAUSE_MS = 150, SAY_MS = 900, SHEET_MS = 600;

let inFlight = null;

/** Ask for an answer to the draft as it stands. */
export async function ask() {
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
    changedInForm(state.team, state.draft, body);
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

/** The draft has changed: faults show as typed; the answer follows after a pause. */
export function changed(pause = PAUSE_MS) {
  keep.keepDraft(state.draft);
  const { faults, waits } = assemble(state.draft, state.fields, state.needs);
  Object.assign(state, { faults, waits, forgot: "", saved: "", sheet: "none", pending: true });
  draw();
  askSoon(pause);
}

/** Take a whole draft into the form; resolves when its answer is there. */
export async function take(draft) {
  Object.assign(state, { draft, forgot: "", saved: "", sheet: "none" });
  keep.keepDraft(draft);
  await ask();
}

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

export const acts = {
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
    state.draft = { ...keep.draftOf(state.texts.example), name: "Example" };
    changed(0);
  },
  clear() {
    state.draft = keep.emptyDraft();
    changed(0);
    $("h-screen").focus();
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
};
