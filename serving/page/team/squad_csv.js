// Tables as CSV for a spreadsheet: nothing in them is run as a formula.
import { download } from "../lib/download.js";
import { changeInWords } from "./cell_fixes.js";
import { groupOf, priority } from "./squad_order.js";
import { statusWords } from "./status_words.js";
import { whyHere } from "./why_here.js";

// The rule of `kneerisk.cohort.layout.guarded`.
const FORMULA = /^'*[=+\-@\t\r\n＝＋－＠]./s;
const NUMBER = /^[-+−]?\d+([.,]\d+)?$/;

/** A text as a field. What a spreadsheet would take for a formula gets an apostrophe in front. */
function csvField(content) {
  if (content === null || content === undefined) return "";
  const raw = String(content);
  const isFormula = FORMULA.test(raw) && !NUMBER.test(raw);
  const safe = isFormula ? `'${raw}` : raw;
  return /[",\r\n;]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

// Excel takes a file for UTF-8 only where it starts with this mark.
const csvOf = (rows) => `\ufeff${rows.map((row) => row.map(csvField).join(",")).join("\r\n")}\r\n`;

const in100 = (p) => (p === undefined ? null : (100 * p).toFixed(1));

const riskColumns = (knee) => [
  [`${knee}_risk_in_100`, ({ summary }) => in100(summary?.risks[knee]?.probability)],
  [`${knee}_low`, ({ summary }) => in100(summary?.risks[knee]?.interval[0])],
  [`${knee}_high`, ({ summary }) => in100(summary?.risks[knee]?.interval[1])],
];

const patterns = (summary, content) => summary?.patterns.map(content).join("; ");

const COLUMNS = {
  athlete: ({ name }) => name,
  date: ({ date }) => date,
  line: ({ line }) => line,
  sport: ({ body }) => body.athlete?.sport,
  status: statusWords,
  ...Object.fromEntries(["right", "left", "either"].flatMap(riskColumns)),
  base_rate_per_knee_in_100: ({ summary }) => in100(summary?.baseRates.leg),
  base_rate_either_in_100: ({ summary }) => in100(summary?.baseRates.either),
  learnt_percent: ({ summary }) => in100(summary?.learnt ?? undefined),
  likely_imbalance: ({ summary }) => patterns(summary, ({ side, label }) => `${side} ${label}`),
  likely_imbalance_in_100: ({ summary }) =>
    patterns(summary, ({ probability }) => Math.round(100 * probability)),
  next_test: ({ summary }) => summary?.nextTests[0]?.label,
  next_test_minutes: ({ summary }) => summary?.nextTests[0]?.minutes,
  priority_points: (athlete) => priority(athlete)?.toFixed(1),
  why_here: (athlete) =>
    athlete.summary && groupOf(athlete) !== "refer" ? whyHere(athlete) : null,
  changed_cells: ({ edits = [] }) => edits.map(changeInWords).join("; "),
  model: ({ summary }) => summary?.model,
};

/** The squad, one athlete a row, in the order that is given. */
export function downloadSquad(athletes, name) {
  const rows = athletes.map((athlete) => Object.values(COLUMNS).map((cell) => cell(athlete)));
  download(`${name}-squad.csv`, csvOf([Object.keys(COLUMNS), ...rows]), "text/csv");
}

/** Rows that were not scored: line, reasons, then the sheet's own columns as they stood. */
export function downloadRowsLeftOut(rows, columns, name) {
  const shown = (row, column) => row.cells.find(({ place }) => place === column.place)?.shown;
  const header = ["line", "reasons", ...columns.map(({ column }) => column)];
  const table = rows.map((row) => [
    row.line,
    row.explanations.map(({ words }) => words).join("; "),
    ...columns.map((column) => shown(row, column)),
  ]);
  download(`${name}-bad-rows.csv`, csvOf([header, ...table]), "text/csv");
}
