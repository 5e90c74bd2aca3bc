// What happens when a slider is moved: the changed screening is answered after a pause.
import { askWhatIf } from "../lib/api_client.js";
import { debounce, draw, emptyWhatIf, state } from "../lib/state.js";

const PAUSE = 80;

let inFlight = null;

const answerLater = debounce(async () => {
  inFlight?.abort();
  const request = (inFlight = new AbortController());
  try {
    const { result, faults } = await askWhatIf(state.body, state.whatIf.targets, request.signal);
    Object.assign(state.whatIf, { result, faults, problem: null });
  } catch (error) {
    if (error.name === "AbortError") return;
    state.whatIf.problem = error.message;
  }
  draw();
});

export const whatIfActions = {
  moveSlider(column, target, measured) {
    if (Math.abs(target - measured) < 1e-9) delete state.whatIf.targets[column];
    else state.whatIf.targets[column] = target;
    answerLater(PAUSE);
    draw();
  },
  addSlider(column) {
    state.whatIf.added = [...state.whatIf.added, column];
    draw();
  },
  resetWhatIf() {
    state.whatIf = emptyWhatIf();
    draw();
  },
};
