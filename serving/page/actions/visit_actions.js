// What happens to visits: saved, opened, gone on from, deleted, compared.
import { compareVisits, Problem } from "../lib/api_client.js";
import { emptyDraft, storeVisits } from "../lib/local_storage.js";
import { longDate } from "../lib/number_format.js";
import { draw, state } from "../lib/state.js";
import { text } from "../lib/texts.js";
import { isSameName, visitsOf } from "../views/visits_view.js";
import { draftChanged } from "./screening_actions.js";

/** Compare the saved visits of whoever is in the form. */
export async function followUp() {
  const visits = visitsOf(state.visits, state.draft.name);
  state.followUp = null;
  draw();
  if (visits.length < 2) return;
  try {
    state.followUp = await compareVisits(visits);
  } catch (error) {
    state.followUp = { faults: faultsOf(error, visits) };
  }
  draw();
}

function faultsOf(error, visits) {
  if (!(error instanceof Problem) || !error.faults.length) return [error.message];
  return error.faults.map(({ pointer, message }) => {
    const [, index, ...path] = pointer.slice(1).split("/");
    const visit = visits[Number(index)];
    const where = visit
      ? text("page.changes.visit_of", { date: longDate(visit.date) })
      : text("page.changes.the_visits");
    return `${where}: ${(path.at(-1) ?? "").replaceAll("_", " ")} ${message}.`;
  });
}

function setVisits(visits) {
  state.visits = visits;
  const isStored = storeVisits(visits);
  followUp();
  return isStored;
}

// What stays from visit to visit is taken over: who, and the protocols; what is measured is not.
const LASTING_VALUES = [
  "athlete.age_years",
  "athlete.sex",
  "athlete.sport",
  "athlete.level",
  "athlete.height_cm",
];
const isLasting = (path) => path.startsWith("protocol.") || LASTING_VALUES.includes(path);

const draftOfVisit = (id) => state.visits.find((visit) => visit.id === id).draft;

export const visitActions = {
  saveVisit() {
    const { name, date } = state.draft;
    const others = state.visits.filter(
      (visit) => !(isSameName(visit.name, name) && visit.date === date),
    );
    const id = crypto.randomUUID?.() ?? String(Date.now());
    const draft = structuredClone(state.draft);
    const visit = { id, name: name.trim(), date, draft, body: state.body };
    const isStored = setVisits([...others, visit]);
    state.saveMessage = isStored ? text("page.visits.saved") : text("page.visits.not_stored");
    draw();
  },
  openVisit(id) {
    state.draft = structuredClone(draftOfVisit(id));
    draftChanged(0);
    followUp();
  },
  nextVisit(id) {
    const { name, athleteId = "", equipment, values, units = {} } = draftOfVisit(id);
    const lasting = Object.fromEntries(Object.entries(values).filter(([path]) => isLasting(path)));
    state.draft = { ...emptyDraft(), name, athleteId, equipment, units, values: lasting };
    draftChanged(0);
    location.hash = "#screen";
  },
  askToDelete(id) {
    state.deletingVisit = id;
    draw();
  },
  deleteVisit(id) {
    state.deletingVisit = null;
    setVisits(state.visits.filter((visit) => visit.id !== id));
  },
};
