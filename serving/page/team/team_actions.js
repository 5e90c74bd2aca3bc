// What happens in the team view: a sheet is read, its valid rows are scored, an athlete is opened.
import { openDraft } from "../actions/screening_actions.js";
import { EQUIPMENT_SETS } from "../lib/equipment.js";
import { post } from "../lib/api_client.js";
import { draftOf } from "../lib/local_storage.js";
import { byId, draw, drawSoon, state } from "../lib/state.js";
import { plural, text } from "../lib/texts.js";
import { filesName } from "./joined_files.js";
import { readSheet } from "./sheet_upload.js";
import { downloadCsv, downloadExcel, downloadRowsLeftOut } from "./squad_export.js";
import { filtered } from "./squad_order.js";
import { athletesOf, lacksTests, storeSquadState, takeResult, takeTests } from "./squad_state.js";

/** So many screenings go in one request: a block takes some tenths of a second. */
const BLOCK_SIZE = 25;
/** So many requests are out at once (assumption: the service has two workers or more). */
const AT_ONCE = 2;
/** What the list shows of an answer, without the tests to do next: these take longest. */
const SCORE = "red_flags_status,red_flags,risk,imbalances,drivers,model";
const TESTS = "next_tests";
/** What the service takes for the tests of one visit, until somebody says otherwise. */
const USUAL_WINDOW_DAYS = 14;

let inFlight = null;

function newRequest() {
  inFlight?.abort();
  inFlight = new AbortController();
  return inFlight.signal;
}

function speak(words) {
  byId("say").textContent = words;
}

/** Change the state of the team, keep what outlives a reload, and draw it. */
function update(changes) {
  Object.assign(state.team, changes);
  storeSquadState(state.team);
  draw();
}

// -- the sheet -------------------------------------------------------------------------------

async function read() {
  const { team } = state;
  const signal = newRequest();
  Object.assign(team, { isReading: true, isBusy: true, problem: "" });
  draw();
  try {
    team.sheet = await readSheet(team.files, team.mapping, signal);
    const { ready, bad, questions } = team.sheet.counts;
    speak(
      text("page.sheet.spoken", {
        ready: plural("page.sheet.rows", ready),
        bad,
        questions: plural("page.sheet.questions", questions),
      }),
    );
  } catch (error) {
    if (error.name === "AbortError") return;
    team.problem = error.message;
    speak(text("page.sheet.unreadable", { reason: error.message }));
  }
  Object.assign(team, { isReading: false, isBusy: false, isSheetOpen: true });
  draw();
}

function readAgain(mapping) {
  state.team.mapping = { ...state.team.mapping, ...mapping };
  read();
}

// -- the scores ------------------------------------------------------------------------------

/** Ask for some fields of the answers to athletes, block by block, and take over what comes. */
async function ask(athletes, fields, take, signal) {
  const equipment = EQUIPMENT_SETS[state.team.equipmentSet];
  const waiting = [...athletes];
  const lane = async () => {
    while (waiting.length) {
      const block = waiting.splice(0, BLOCK_SIZE);
      const screenings = block.map(({ body }) => (equipment ? { ...body, equipment } : body));
      const address = `v1/predict_team?fields=${fields}`;
      const { results } = await post(address, { screenings }, signal);
      for (const result of results) take(block[result.index], result);
      drawSoon();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}

async function score() {
  const { team } = state;
  const signal = newRequest();
  const due = team.athletes.filter(({ isDue }) => isDue);
  Object.assign(team, { isBusy: due.length > 0, isAskingTests: true, problem: "" });
  draw();
  try {
    if (due.length) {
      await ask(due, SCORE, takeResult, signal);
      speak(text("page.squad.spoken", { athletes: plural("page.squad.athletes", due.length) }));
      update({ isBusy: false });
    }
    await ask(team.athletes.filter(lacksTests), TESTS, takeTests, signal);
  } catch (error) {
    if (error.name === "AbortError") return;
    // The other request that is out is of no use any more.
    inFlight.abort();
    team.problem = text("page.squad.stopped", { reason: error.message });
  }
  update({ isBusy: false, isAskingTests: false });
}

/** Score whoever was changed in the form since. */
export function scoreChanged() {
  if (!state.team.isBusy && state.team.athletes.some(({ isDue }) => isDue)) score();
}

const baseName = (fileName) => fileName.replace(/\.[^.]*$/, "") || "squad";

const sheetActions = {
  chooseFiles(files) {
    if (!files.length) return;
    Object.assign(state.team, { files, sheet: null, mapping: {}, showsAllRows: false });
    read();
  },
  /** Of several files: whose a row is that fits nowhere by itself. */
  setAthlete(place, athlete) {
    readAgain({ same_athletes: { ...state.team.mapping.same_athletes, [place]: athlete } });
  },
  forgetAthletes() {
    readAgain({ same_athletes: {} });
  },
  /** Of several files: tests so many days from a visit belong to it. */
  setWindow(days) {
    readAgain({ within_days: days });
  },
  window: () => state.team.mapping.within_days ?? USUAL_WINDOW_DAYS,
  /** How the file is read: its sheet, the line of the column names, the decimal sign. */
  setFileOption(name, content) {
    const others = name === "sheet" ? { columns: {}, cells: {}, header_line: undefined } : {};
    readAgain({ [name]: content, ...others });
  },
  /** What columns mean, by their places. */
  setColumns(columns) {
    readAgain({ columns: { ...state.team.mapping.columns, ...columns } });
  },
  /** How far from the joint the forces of a test were taken, for either leg. */
  setLeverArm({ label }, metres) {
    const open = state.team.sheet.columns.filter(
      (column) => column.asks === "lever_arm" && column.label === label,
    );
    const told = state.team.mapping.columns ?? {};
    const columns = open.map(({ place }) => [place, { ...told[place], lever_arm_m: metres }]);
    sheetActions.setColumns(Object.fromEntries(columns));
  },
  /** What holds for every row and stands in no column. */
  setConstant(measure, content) {
    const constants = { ...state.team.mapping.constants, [measure]: content };
    if (content === "") delete constants[measure];
    readAgain({ constants });
  },
  /** What is put into single cells; an empty text leaves one out, and null takes it back. */
  setCells(changes) {
    const cells = { ...state.team.mapping.cells, ...changes };
    for (const [name, content] of Object.entries(cells)) if (content === null) delete cells[name];
    readAgain({ cells });
  },
  toggle(name) {
    state.team[name] = !state.team[name];
    draw();
  },
  downloadRowsLeftOut(rows) {
    const { sheet, files } = state.team;
    downloadRowsLeftOut(rows, sheet.columns, baseName(filesName(files)));
  },
};

const squadActions = {
  scoreSheet() {
    const { team } = state;
    const athletes = athletesOf(team.sheet);
    const filters = { isSheetOpen: false, sport: "", status: "" };
    Object.assign(team, { athletes, fileName: filesName(team.files), ...filters });
    score();
    byId("h-team")?.focus();
  },
  continueScoring: score,
  stopScoring() {
    inFlight?.abort();
    update({ isBusy: false, isAskingTests: false });
  },
  sortBy(sortKey, isDescending) {
    update({ sortKey, isDescending });
  },
  setFilter(name, content) {
    update({ [name]: content });
  },
  setEquipment(equipmentSet) {
    state.team.equipmentSet = equipmentSet;
    for (const athlete of state.team.athletes) athlete.isDue = true;
    score();
  },
  downloadCsv() {
    downloadCsv(filtered(state.team), state.fields, baseName(state.team.fileName));
  },
  async downloadExcel() {
    update({ problem: "" });
    try {
      await downloadExcel(filtered(state.team), state.fields, baseName(state.team.fileName));
    } catch (error) {
      update({ problem: text("page.squad.no_export", { reason: error.message }) });
    }
  },
  print: () => window.print(),
};

const formActions = {
  /** Open an athlete; the view changes with the answer, so that the focus lands on what stays. */
  async openAthlete(id) {
    const { team } = state;
    const { body, name, date, summary } = team.athletes.find((athlete) => athlete.id === id);
    const hasBegun = Object.keys(state.draft.values).length && !state.draft.athlete;
    if (hasBegun) team.setAside = state.draft;
    storeSquadState(team);
    await openDraft({ ...draftOf(body), name, date, athlete: id });
    if (state.view !== "team") return;
    const isAnswered = summary && summary.status !== "low_information";
    location.hash = isAnswered ? "#answer" : "#screen";
  },
  /** Back to the form that was begun before an athlete was opened. */
  resumeForm() {
    const draft = state.team.setAside;
    state.team.setAside = null;
    storeSquadState(state.team);
    openDraft(draft);
    location.hash = "#screen";
  },
};

export const teamActions = { ...sheetActions, ...squadActions, ...formActions };
