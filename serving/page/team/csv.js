// Tables as CSV for a spreadsheet: nothing in them is run as a formula.
import { save } from "../files.js";
import { priority } from "./priority.js";
import { statusWords } from "./words.js";

const NUMBER = /^[-+−]?\d+([.,]\d+)?$/;

/** A text as a field. What a spreadsheet would take for a formula gets an apostrophe in front. */
function field(x) {
  if (x === null || x === undefined) return "";
  const raw = String(x), safe = /^[=+\-@\t\r]/.test(raw) && !NUMBER.test(raw) ? `'${raw}` : raw;
  return /[",\r\n;]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

// Excel takes a file for UTF-8 only where it starts with this mark.
const written = (rows) => `\ufeff${rows.map((row) => row.map(field).join(",")).join("\r\n")}\r\n`;

const in100 = (p) => (p === undefined ? null : (100 * p).toFixed(1));

const COLUMNS = {
  athlete: (one) => one.name,
  date: (one) => one.date,
  line: (one) => one.line,
  sport: (one) => one.body.athlete?.sport,
  status: statusWords,
  ...Object.fromEntries(["right", "left", "either"].flatMap((knee) => [
    [`${knee}_risk_in_100`, ({ told }) => in100(told?.risks[knee]?.probability)],
    [`${knee}_low`, ({ told }) => in100(told?.risks[knee]?.interval[0])],
    [`${knee}_high`, ({ told }) => in100(told?.risks[knee]?.interval[1])],
  ])),
  base_rate_per_knee_in_100: ({ told }) => in100(told?.base.leg),
  likely_imbalance: ({ told }) => told?.patterns.map((p) => `${p.side} ${p.label}`).join("; "),
  likely_imbalance_in_100: ({ told }) => told?.patterns.map((p) => Math.round(100 * p.probability)).join("; "),
  next_test: ({ told }) => told?.next?.label,
  next_test_minutes: ({ told }) => told?.next?.minutes,
  priority_points: (one) => priority(one)?.toFixed(1),
  model: ({ told }) => told?.model,
};

/** The squad, one athlete a row, in the order that is given. */
export function saveSquad(athletes, name) {
  const rows = athletes.map((one) => Object.values(COLUMNS).map((of) => of(one)));
  save(`${name}-squad.csv`, written([Object.keys(COLUMNS), ...rows]), "text/csv");
}

/** Rows that were not scored: line, reasons, then the sheet's own columns as they stood. */
export function saveBadRows(rows, columns, name) {
  const cells = (row) => columns.map((column) => row.cells.find((cell) => cell.place === column.place)?.shown);
  const header = ["line", "reasons", ...columns.map((column) => column.column)];
  save(`${name}-bad-rows.csv`, written([header, ...rows.map((row) => [row.line, row.why.join("; "), ...cells(row)])]), "text/csv");
}
