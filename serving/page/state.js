// What the page knows, and that it is drawn again after a change.
import * as keep from "./keep.js";
import { keptTeam } from "./team/athletes.js";

export const $ = (id) => document.getElementById(id);
export const emptyWhatIf = () => ({ targets: {}, added: [], notes: {}, result: null, problem: null });

export const state = {
  view: "screen", draft: keep.draft(), visits: keep.visits(), faults: {}, waits: [], body: null,
  answer: null, problem: null, asking: false, pending: false, open: new Set(), whatIf: emptyWhatIf(), follow: null,
  sheet: "none", paper: "athlete", forgot: "", saved: "", deleting: null, team: keptTeam(),
};

let paint = () => {}, waiting = false;

/** Say how the state is drawn; once, at the start. */
export function drawnBy(how) {
  paint = how;
}

/** Draw the state as it is once whatever changes it now is done. */
export function draw() {
  if (waiting) return;
  waiting = true;
  queueMicrotask(() => {
    waiting = false;
    paint();
  });
}

/** A function that waits so many milliseconds, and starts again when it is called meanwhile. */
export function debounce(what) {
  let timer = 0;
  return (after) => {
    clearTimeout(timer);
    timer = setTimeout(what, after);
  };
}
