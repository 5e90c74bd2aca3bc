// What happens in the club's views: the records are opened, athletes are asked, answers are kept.
import { clubJson, isAthleteId } from "../lib/club_records.js";
import { isoToday, storeClubKey } from "../lib/local_storage.js";
import { byId, draw, state } from "../lib/state.js";
import { text } from "../lib/texts.js";
import { SIDES } from "../lib/wording.js";
import {
  asBefore,
  emptyAnswers,
  keptOf,
  outcomesOf,
  toggled,
  unanswered,
} from "./check_in_report.js";
import { emptyClub } from "./club_state.js";
import { daysOf, heardOf, periodUntil, plusDays, troubleOf } from "./knee_history.js";

const TO_ASK = "v1/athletes?follow_up=due,overdue,lost&limit=1000";

function update(changes) {
  Object.assign(state.club, changes);
  draw();
}

// Once what has changed is drawn.
const focusOn = (id) => queueMicrotask(() => queueMicrotask(() => byId(id)?.focus()));

/** A key that opens nothing is dropped, and its form says why. */
function failed(error, problem) {
  if (error.status === 401) {
    storeClubKey(null);
    Object.assign(state.club, emptyClub());
    update({ problem: error.message });
    return;
  }
  update({ isBusy: false, problem });
}

async function loadList() {
  update({ isBusy: true });
  try {
    update({ list: await clubJson(TO_ASK), isBusy: false });
  } catch (error) {
    failed(error, text("club.overdue.failed", { reason: error.message }));
  }
}

/** Read what the open view shows. */
export async function refreshClub() {
  if (!state.club.isOpen) return;
  if (state.view === "club") {
    await loadList();
    return;
  }
  update({ isBusy: true, problem: "" });
  try {
    update({ report: await clubJson("v1/monitoring"), isBusy: false });
  } catch (error) {
    failed(error, text("club.monitoring.failed", { reason: error.message }));
  }
}

const openActions = {
  async openClub(key) {
    storeClubKey(key);
    Object.assign(state.club, { isOpen: true, problem: "" });
    draw();
    await refreshClub();
    focusOn(state.club.isOpen ? "h-club" : "club-key");
  },
  closeClub() {
    storeClubKey(null);
    state.club = emptyClub();
    draw();
    focusOn("club-key");
  },
  showAll(group) {
    update({ shown: { ...state.club.shown, [group]: true } });
  },
};

/** A check of an athlete for the days up to one: what still troubles is known from the records. */
function checkUntil(athlete, record, last) {
  const heard = heardOf(record);
  const period = periodUntil(last, record);
  const trouble = Object.fromEntries(
    SIDES.map((side) => [side, troubleOf(side, record, period.first)]),
  );
  const silentDays = heard && heard < last ? daysOf({ first: plusDays(heard, 1), last }) : 0;
  return {
    athlete,
    record,
    period,
    trouble,
    silentDays,
    answers: emptyAnswers(),
    missing: [],
    problem: "",
  };
}

const keepCheck = (changes) => update({ check: { ...state.club.check, ...changes } });

const checkActions = {
  typeAthlete(typed) {
    update({ typed });
  },
  async ask(athlete) {
    update({ done: null, problem: "", typed: athlete, isBusy: true });
    try {
      if (!isAthleteId(athlete)) throw Object.assign(new Error(), { status: 404 });
      const record = await clubJson(`v1/athletes/${encodeURIComponent(athlete)}`);
      update({ check: checkUntil(athlete, record, isoToday()), isBusy: false });
      focusOn("nothing-new");
    } catch (error) {
      update({ check: null, isBusy: false });
      if (error.status !== 404)
        failed(error, text("club.overdue.failed", { reason: error.message }));
      else update({ problem: text("club.check.unknown") });
    }
  },
  setUntil(last) {
    const { athlete, record } = state.club.check;
    if (last && last <= isoToday()) update({ check: checkUntil(athlete, record, last) });
  },
  someoneElse() {
    update({ check: null, done: null, typed: "" });
    focusOn("whose");
  },
  toggle(question, code) {
    const { answers } = state.club.check;
    keepCheck({ answers: { ...answers, [question]: toggled(answers[question], code) } });
  },
  choose(question, code) {
    keepCheck({ answers: { ...state.club.check.answers, [question]: code } });
  },
  chooseBegan(side, code) {
    const { answers } = state.club.check;
    keepCheck({ answers: { ...answers, began: { ...answers.began, [side]: code } } });
  },
  nothingNew() {
    return sendCheck({ ...state.club.check, answers: asBefore(state.club.check) });
  },
  sendAnswers() {
    const missing = unanswered(state.club.check);
    keepCheck({ missing });
    if (!missing.length) return sendCheck(state.club.check);
    focusOn(`q-${missing[0]}`);
    return null;
  },
};

async function sendCheck(check) {
  if (state.club.isBusy) return;
  update({ isBusy: true });
  keepCheck({ problem: "" });
  try {
    await clubJson("v1/outcomes", { body: { outcomes: outcomesOf(check) } });
  } catch (error) {
    const problem = text("club.check.failed", { reason: error.message });
    if (error.status === 401) failed(error, problem);
    else {
      keepCheck({ problem });
      update({ isBusy: false });
    }
    return;
  }
  const { athlete, period } = check;
  update({ check: null, typed: "", done: { athlete, period, kept: keptOf(check) } });
  await loadList();
  focusOn(byId("next-athlete") ? "next-athlete" : "whose");
}

export const clubActions = { ...openActions, ...checkActions };
