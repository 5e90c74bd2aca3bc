// What the team view does: a sheet is read, its good rows are scored, an athlete is opened.
import { post } from "../ask.js";
import * as keep from "../keep.js";
import { take } from "../screening.js";
import { $, draw, state } from "../state.js";
import { AT_HAND, athletesOf, emptyTeam, keepTeam, took } from "./athletes.js";
import { saveBadRows, saveSquad } from "./csv.js";
import { shown } from "./priority.js";
import { readSheet } from "./read.js";
import { many } from "./words.js";

/** So many screenings go in one request: a block takes a third of a second on two cores. */
const BLOCK = 25;

let flight = null;

function start() {
  flight?.abort();
  flight = new AbortController();
  return flight.signal;
}

function say(text) {
  $("say").textContent = text;
}

// -- the sheet -------------------------------------------------------------------------------

async function read() {
  const { team } = state, signal = start();
  Object.assign(team, { reading: true, busy: true, problem: "" });
  draw();
  try {
    team.sheet = await readSheet(team.file, team.mapping, signal);
    const { counts } = team.sheet;
    say(`${many(counts.ready, "row")} ready, ${counts.bad} to mend, ${many(counts.questions, "question")}.`);
  } catch (error) {
    if (error.name === "AbortError") return;
    team.problem = error.message;
    say(`The sheet could not be read. ${error.message}`);
  }
  Object.assign(team, { reading: false, busy: false, looking: true });
  draw();
}

function ask(change) {
  state.team.mapping = { ...state.team.mapping, ...change };
  read();
}

// -- the scores ------------------------------------------------------------------------------

async function score() {
  const { team } = state, signal = start(), due = team.athletes.filter((one) => one.due);
  Object.assign(team, { busy: true, problem: "" });
  draw();
  try {
    for (let at = 0; at < due.length; at += BLOCK) {
      const block = due.slice(at, at + BLOCK), equipment = AT_HAND[team.atHand];
      const screenings = block.map(({ body }) => (equipment ? { ...body, equipment } : body));
      const { results } = await post("v1/predict_team", { screenings }, signal);
      for (const result of results) took(block[result.index], result);
      draw();
    }
    say(`${many(due.length, "athlete")} scored.`);
  } catch (error) {
    if (error.name === "AbortError") return;
    team.problem = `Scoring stopped: ${error.message}`;
  }
  team.busy = false;
  keepTeam(team);
  draw();
}

/** Score whoever was changed in the form since. */
export function enter() {
  if (!state.team.busy && state.team.athletes.some((one) => one.due)) score();
}

const base = (name) => name.replace(/\.[^.]*$/, "") || "squad";

export const acts = {
  take(file) {
    if (!file) return;
    Object.assign(state.team, { file, sheet: null, mapping: {}, full: false });
    read();
  },
  /** How the file is read: its sheet, the line of the column names, the decimal sign. */
  fileOption(name, value) {
    ask({ [name]: value, ...(name === "sheet" ? { columns: {}, header_line: undefined } : {}) });
  },
  /** What is said about columns, by their places. */
  columns(said) {
    ask({ columns: { ...state.team.mapping.columns, ...said } });
  },
  constant(means, value) {
    const constants = { ...state.team.mapping.constants, [means]: value };
    if (value === "") delete constants[means];
    ask({ constants });
  },
  toggle(what) {
    state.team[what] = !state.team[what];
    draw();
  },
  score() {
    const { team } = state;
    Object.assign(team, { athletes: athletesOf(team.sheet), name: team.file.name, looking: false, sport: "", status: "" });
    score();
    $("h-team")?.focus();
  },
  goOn: score,
  stop() {
    flight?.abort();
    state.team.busy = false;
    keepTeam(state.team);
    draw();
  },
  sort(by, falling) {
    Object.assign(state.team, { by, falling });
    keepTeam(state.team);
    draw();
  },
  show(what, value) {
    state.team[what] = value;
    keepTeam(state.team);
    draw();
  },
  atHand(value) {
    state.team.atHand = value;
    for (const one of state.team.athletes) one.due = true;
    score();
  },
  /** Open an athlete; the view changes with the answer, so that the focus lands on what stays. */
  async athlete(id) {
    const { team } = state, one = team.athletes.find((other) => other.id === id);
    const begun = Object.keys(state.draft.values).length && !state.draft.athlete;
    if (begun) team.aside = state.draft;
    keepTeam(team);
    await take({ ...keep.draftOf(one.body), name: one.name, date: one.date, athlete: id });
    if (state.view === "team") location.hash = one.told && one.told.status !== "low_information" ? "#answer" : "#screen";
  },
  /** Back to the form that was begun before an athlete was opened. */
  takeUp() {
    const draft = state.team.aside;
    state.team.aside = null;
    keepTeam(state.team);
    take(draft);
    location.hash = "#screen";
  },
  saveSquad() {
    saveSquad(shown(state.team), base(state.team.name));
  },
  saveBadRows(rows) {
    saveBadRows(rows, state.team.sheet.columns, base(state.team.file.name));
  },
  print: () => window.print(),
  drop() {
    flight?.abort();
    state.team = emptyTeam();
    keep.dropTeam();
    draw();
  },
};

