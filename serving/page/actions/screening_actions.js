// What happens on input in the form: the draft changes, and after a pause it is answered.
import { predict, proposals } from "../lib/api_client.js";
import { draftOf, emptyDraft, storeDraft } from "../lib/local_storage.js";
import { chooseUnit, keepUnit, setLeverArm } from "../lib/measure_units.js";
import { assemble } from "../lib/screening_body.js";
import { byId, debounce, draw, emptyWhatIf, state } from "../lib/state.js";
import { text } from "../lib/texts.js";
import { updateFromForm } from "../team/squad_state.js";
import { spokenAnswer } from "../views/live_answer.js";
import { refreshReport } from "./report_actions.js";

/** Milliseconds without a keystroke before the draft is answered, spoken and set as a report. */
const ANSWER_PAUSE = 150;
const SPEECH_PAUSE = 900;
const REPORT_PAUSE = 600;

let inFlight = null;

const assembleDraft = () => assemble(state.draft, state.fields, state.protocolNeeds);

/** Answer the draft as it stands. */
export async function answerDraft() {
  state.isPending = false;
  const { asked, faults, waiting, ready } = assembleDraft();
  inFlight?.abort();
  Object.assign(state, { faults, waiting });
  const request = (inFlight = new AbortController());
  if (!ready) {
    Object.assign(state, { answer: null, problem: null, isLoading: false, body: null });
    draw();
    await proposeFor(asked, faults, request.signal);
    return;
  }
  state.isLoading = true;
  try {
    takeAnswer(await predict(asked, request.signal), faults);
  } catch (error) {
    if (error.name === "AbortError") return;
    const problem = text("page.service.failed", { reason: error.message });
    Object.assign(state, { answer: null, body: null, problem });
  }
  state.isLoading = false;
  speakLater(SPEECH_PAUSE);
  refreshReport(REPORT_PAUSE);
  draw();
}

// A slip is explained before age and sex are known, too.
async function proposeFor(asked, faults, signal) {
  if (!Object.values(faults).some(({ number }) => number !== undefined)) return;
  try {
    const proposed = await proposals(asked, signal);
    const known = Object.keys(proposed).filter((path) => faults[path]);
    if (!known.length) return;
    state.faults = joined(faults, Object.fromEntries(known.map((path) => [path, proposed[path]])));
    draw();
  } catch {
    // Without a proposal the fault itself still stands there.
  }
}

function takeAnswer({ answer, faults, body }, ownFaults) {
  Object.assign(state, { answer, body, problem: null, faults: joined(ownFaults, faults) });
  state.whatIf = { ...emptyWhatIf(), added: state.whatIf.added };
  updateFromForm(state.team, state.draft, body);
}

// A proposal of the service takes the place of the form's own suggestions.
function joined(ownFaults, faults) {
  const all = { ...faults };
  for (const [path, own] of Object.entries(ownFaults)) {
    const proposal = faults[path]?.proposal;
    all[path] = proposal ? { ...own, proposal, suggestions: [] } : own;
  }
  return all;
}

const answerLater = debounce(answerDraft);
const speakLater = debounce(() => {
  byId("say").textContent = spokenAnswer(state);
});

const resetNotes = () => ({
  forgetMessage: "",
  saveMessage: "",
  reportStatus: "none",
  emptiedDraft: null,
});

/** The draft has changed: faults show at once; the answer follows after a pause. */
export function draftChanged(pause = ANSWER_PAUSE) {
  storeDraft(state.draft);
  const { faults, waiting } = assembleDraft();
  Object.assign(state, { faults, waiting, isPending: true, ...resetNotes() });
  draw();
  answerLater(pause);
}

/** Take a whole draft into the form; resolves when its answer is there. */
export async function openDraft(draft) {
  Object.assign(state, { draft, ...resetNotes() });
  storeDraft(draft);
  await answerDraft();
}

const ACUTE_INJURY = "acute_injury_within_7_days";

export const screeningActions = {
  setValue(path, typed) {
    const field = state.fields.find((one) => one.path === path);
    if (field.units?.length) keepUnit(field, state.draft);
    state.draft.values = { ...state.draft.values, [path]: typed };
    if (!typed) delete state.draft.values[path];
    draftChanged();
  },
  setUnit(field, name) {
    chooseUnit(field, name, state.draft);
    draftChanged(0);
  },
  setLever(typed) {
    setLeverArm(typed, state.draft);
    draftChanged();
  },
  setDraft(name, content) {
    state.draft[name] = content;
    draftChanged();
  },
  setRedFlag(code, isTicked) {
    const others = state.draft.flags.filter((other) => other !== code);
    const afterInjury = state.texts.red_flags
      .filter((flag) => flag.needs_acute_injury)
      .map((flag) => flag.code);
    // Without the injury, the questions about what came after it no longer hold.
    const isGone = (other) => code === ACUTE_INJURY && !isTicked && afterInjury.includes(other);
    state.draft.flags = isTicked ? [...others, code] : others.filter((other) => !isGone(other));
    state.draft.cleared = false;
    draftChanged(0);
  },
  fillExample() {
    state.draft = { ...draftOf(state.texts.example), name: text("page.form.example_name") };
    draftChanged(0);
  },
  clearForm() {
    const { draft } = state;
    const hasContent = Object.keys(draft.values).length || draft.flags.length || draft.name;
    state.draft = { ...emptyDraft(), equipment: draft.equipment };
    draftChanged(0);
    state.emptiedDraft = hasContent ? draft : null;
    draw();
    byId("h-screen").focus();
  },
  undoClear() {
    const { emptiedDraft } = state;
    state.emptiedDraft = null;
    openDraft(emptiedDraft);
    byId("h-screen").focus();
  },
};
