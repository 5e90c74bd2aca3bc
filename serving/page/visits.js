// What is done with visits: saved, opened, gone on from, deleted, compared.
import { askFollowUp, visitsOf } from "./follow.js";
import * as keep from "./keep.js";
import { changed } from "./screening.js";
import { draw, state } from "./state.js";

/** Compare the saved visits of whoever is in the form. */
export async function follow() {
  const own = visitsOf(state.visits, state.draft.name);
  state.follow = null;
  draw();
  if (own.length > 1) {
    state.follow = await askFollowUp(own).catch((error) => ({ faults: [error.message] }));
    draw();
  }
}

function setVisits(visits) {
  state.visits = visits;
  const kept = keep.keepVisits(visits);
  follow();
  return kept;
}

const STAYS = ["athlete.age_years", "athlete.sex", "athlete.sport", "athlete.level", "athlete.height_cm"];

export const acts = {
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
    const stays = (path) => path.startsWith("protocol.") || STAYS.includes(path);
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
};
