// The state of the page, and drawing it again after a change.
import { emptyClub } from "../club/club_state.js";
import { loadSquadState } from "../team/squad_state.js";
import { loadContact, loadDraft, loadVisits } from "./local_storage.js";

export const byId = (id) => document.getElementById(id);

export const emptyWhatIf = () => ({
  targets: {},
  added: [],
  faults: {},
  result: null,
  problem: null,
});

export const state = {
  view: "screen",
  draft: loadDraft(),
  visits: loadVisits(),
  faults: {},
  waiting: [],
  body: null,
  answer: null,
  problem: null,
  isLoading: false,
  isPending: false,
  whatIf: emptyWhatIf(),
  followUp: null,
  reportStatus: "none",
  reportKind: "hand_out",
  framedKind: null,
  contact: loadContact(),
  callTimes: "",
  nextDate: null,
  forgetMessage: "",
  emptiedDraft: null,
  saveMessage: "",
  deletingVisit: null,
  team: loadSquadState(),
  trainingLog: null,
  club: emptyClub(),
};

const noLog = () => ({ files: [], asked: {}, answer: null, who: 0, problem: "", isReading: false });

/** The training log that was read for this screening; another screening has none yet. */
export const currentLog = () =>
  state.trainingLog?.draft === state.draft ? state.trainingLog : { ...noLog(), draft: state.draft };

let renderPage = () => {};
let isScheduled = false;
let soonTimer = 0;
/** So often is drawn what goes on changing (assumption: as often as an eye follows a list). */
const SOON_MS = 250;

/** Set how the state is drawn; once, at the start. */
export function setRenderer(renderer) {
  renderPage = renderer;
}

/** Draw the state once whatever changes it now is done. */
export function draw() {
  clearTimeout(soonTimer);
  soonTimer = 0;
  if (isScheduled) return;
  isScheduled = true;
  queueMicrotask(() => {
    isScheduled = false;
    renderPage();
  });
}

/** Draw within a quarter of a second, once for all that changes until then. */
export function drawSoon() {
  soonTimer ||= setTimeout(draw, SOON_MS);
}

/** A function that waits so many milliseconds, and starts again when it is called meanwhile. */
export function debounce(callback) {
  let timer = 0;
  return (milliseconds) => {
    clearTimeout(timer);
    timer = setTimeout(callback, milliseconds);
  };
}
