// The squad's athletes, each {id, line, name, date, body, summary, faults, isDue}, and the sheet.
import { isoToday, loadSquad, storeSquad } from "../lib/local_storage.js";
import { text } from "../lib/texts.js";
import { answerSummary, testsSummary } from "./answer_summary.js";
import { changesOf } from "./sheet_upload.js";

/** So many athletes can be seen on a day, until a coach says otherwise (assumption). */
const CAPACITY = 3;

export const emptyTeam = () => ({
  files: [],
  fileName: "",
  isReading: false,
  sheet: null,
  mapping: {},
  isSheetOpen: false,
  showsAllRows: false,
  areColumnsShown: false,
  isBusy: false,
  isAskingTests: false,
  problem: "",
  athletes: [],
  isStored: true,
  setAside: null,
  sortKey: "priority",
  isDescending: true,
  capacity: CAPACITY,
  sport: "",
  status: "",
  equipmentSet: "club",
});

const STORED = [
  "fileName",
  "athletes",
  "setAside",
  "sortKey",
  "isDescending",
  "capacity",
  "sport",
  "status",
  "equipmentSet",
];

/** The squad, as this tab still holds it after a reload. */
export function loadSquadState() {
  const stored = loadSquad();
  return stored && Array.isArray(stored.athletes) ? { ...emptyTeam(), ...stored } : emptyTeam();
}

export function storeSquadState(team) {
  team.isStored = storeSquad(Object.fromEntries(STORED.map((key) => [key, team[key]])));
}

/** Those of a sheet that can be scored, each with an id of its own. */
export function athletesOf(sheet) {
  const stamp = Date.now();
  return sheet.rows
    .filter((row) => row.status === "ready")
    .map((row) => ({
      id: `${stamp}-${row.line}`,
      line: row.line,
      name: row.athlete ?? text("page.sheet.row", { lines: row.line }),
      date: row.date ?? isoToday(),
      body: row.screening,
      edits: editsOf(row, sheet),
      summary: null,
      faults: [],
      isDue: true,
    }));
}

// What was changed in the row's cells, and in the row of the other leg.
const editsOf = (row, { rows, columns }) =>
  [row, ...rows.filter((one) => one.into_line === row.line)].flatMap((one) =>
    changesOf(one, columns),
  );

const readable = (pointer) => pointer.slice(1).replaceAll("/", " ").replaceAll("_", " ");

/** Take over what became of an athlete's screening. */
export function takeResult(athlete, { answer, problem }) {
  athlete.isDue = false;
  athlete.summary = answer ? answerSummary(answer, athlete.body) : null;
  athlete.faults = (problem?.faults ?? []).map(({ pointer, message }) =>
    `${readable(pointer)} ${message}`.trim(),
  );
}

/** Take over which tests an athlete should do next. */
export function takeTests(athlete, { answer }) {
  if (answer && athlete.summary) athlete.summary.nextTests = testsSummary(answer);
}

/** Whether an athlete is scored, and the tests to do next are not known yet. */
export const lacksTests = ({ isDue, summary }) => !isDue && summary !== null && !summary.nextTests;

/** The form has a new answer: whoever it was opened for is scored anew, with these values. */
export function updateFromForm(team, draft, body) {
  const athlete = team.athletes.find(({ id }) => id === draft.athlete);
  if (!athlete) return;
  const { equipment: _, ...screening } = body;
  const isSame = JSON.stringify(screening) === JSON.stringify(athlete.body);
  if (isSame && draft.name === athlete.name) return;
  const name = draft.name || athlete.name;
  Object.assign(athlete, { name, date: draft.date, body: screening, isDue: true });
  storeSquadState(team);
}
