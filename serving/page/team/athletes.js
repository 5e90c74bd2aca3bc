// The squad's athletes: {id, line, name, date, body, told, faults, due}, and what is kept of them.
import * as keep from "../keep.js";
import { summary } from "./priority.js";

/** What a club has at hand, by the name it is chosen by: the next test is one of these. */
export const AT_HAND = {
  club: ["none", "tape_or_phone", "dynamometer"], tape: ["none", "tape_or_phone"], all: null,
};

export const emptyTeam = () => ({
  file: null, name: "", reading: false, sheet: null, mapping: {}, looking: false, full: false,
  busy: false, problem: "", athletes: [], kept: true, aside: null,
  by: "priority", falling: true, see: 3, sport: "", status: "", atHand: "club",
});

const KEPT = ["name", "athletes", "aside", "by", "falling", "see", "sport", "status", "atHand"];

/** The squad, as this tab still holds it after a reload. */
export function keptTeam() {
  const kept = keep.team();
  return kept && Array.isArray(kept.athletes) ? { ...emptyTeam(), ...kept } : emptyTeam();
}

export function keepTeam(team) {
  team.kept = keep.keepTeam(Object.fromEntries(KEPT.map((key) => [key, team[key]])));
}

/** Those of a sheet that can be scored, each with an id of its own. */
export function athletesOf(sheet) {
  const stamp = Date.now();
  return sheet.rows.filter((row) => row.status === "ready").map((row) => ({
    id: `${stamp}-${row.line}`, line: row.line, name: row.athlete ?? `Row ${row.line}`,
    date: row.date ?? keep.today(), body: row.screening, told: null, faults: [], due: true,
  }));
}

/** What became of an athlete's screening, from the service. */
export function took(athlete, { answer, problem }) {
  athlete.due = false;
  athlete.told = answer ? summary(answer) : null;
  athlete.faults = (problem?.faults ?? []).map((fault) =>
    `${fault.pointer.slice(1).replaceAll("/", " ").replaceAll("_", " ")} ${fault.message}`.trim());
}

/** The form has a new answer: whoever it was opened for is scored anew, with these values. */
export function changedInForm(team, draft, body) {
  const athlete = team.athletes.find((one) => one.id === draft.athlete);
  if (!athlete) return;
  const { equipment: _, ...own } = body, now = JSON.stringify(own);
  if (now === JSON.stringify(athlete.body) && draft.name === athlete.name) return;
  Object.assign(athlete, { name: draft.name || athlete.name, date: draft.date, body: own, due: true });
  keepTeam(team);
}
