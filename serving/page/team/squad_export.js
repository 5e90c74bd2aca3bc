// The squad as a file, with the inputs, so that it comes back through the import as the same squad.
import { download } from "../lib/download.js";
import { send } from "../lib/access_key.js";
import { jsonOf } from "../lib/api_client.js";
import { draftOf } from "../lib/local_storage.js";
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

const rounded = (x, digits) => (typeof x === "number" ? Number(x.toFixed(digits)) : null);
const in100 = (p) => (typeof p === "number" ? rounded(100 * p, 1) : null);

// -- what was measured -----------------------------------------------------------------------

/** The canonical columns that any of the athletes has, each with its value; then the red flags. */
function inputColumns(athletes, fields) {
  const values = new Map(athletes.map((athlete) => [athlete, draftOf(athlete.body).values]));
  const isUsed = ({ path }) => athletes.some((athlete) => path in values.get(athlete));
  const columns = fields.filter(isUsed).map((field) => [
    field.column,
    (athlete) => {
      const written = values.get(athlete)[field.path];
      return field.kind === "choice" || written === undefined ? written : Number(written);
    },
  ]);
  const flags = ({ body }) => body.red_flags && (body.red_flags.join(";") || "none");
  return [...columns, ["red_flags", flags]];
}

// -- what was answered -----------------------------------------------------------------------

const riskColumns = (knee) => [
  [`${knee}_risk_in_100`, ({ summary }) => in100(summary?.risks[knee]?.probability)],
  [`${knee}_low`, ({ summary }) => in100(summary?.risks[knee]?.interval[0])],
  [`${knee}_high`, ({ summary }) => in100(summary?.risks[knee]?.interval[1])],
];

const patterns = (summary, content) => summary?.patterns.map(content).join("; ");

const ANSWERED = [
  ["line", ({ line }) => line],
  ["status", statusWords],
  ...["right", "left", "either"].flatMap(riskColumns),
  ["base_rate_per_knee_in_100", ({ summary }) => in100(summary?.baseRates.leg)],
  ["base_rate_either_in_100", ({ summary }) => in100(summary?.baseRates.either)],
  ["learnt_percent", ({ summary }) => in100(summary?.learnt)],
  ["likely_imbalance", ({ summary }) => patterns(summary, (one) => `${one.side} ${one.label}`)],
  [
    "likely_imbalance_in_100",
    ({ summary }) => patterns(summary, ({ probability }) => Math.round(100 * probability)),
  ],
  ["next_test", ({ summary }) => summary?.nextTests?.[0]?.label],
  ["next_test_minutes", ({ summary }) => summary?.nextTests?.[0]?.minutes],
  ["priority_points", (athlete) => rounded(priority(athlete), 1)],
  ["why_here", (athlete) => (hasPlace(athlete) ? whyHere(athlete) : null)],
  ["changed_cells", ({ edits = [] }) => edits.map(changeInWords).join("; ")],
  ["model", ({ summary }) => summary?.model],
];

const hasPlace = (athlete) => Boolean(athlete.summary) && groupOf(athlete) !== "refer";

// -- the files -------------------------------------------------------------------------------

function squadTable(athletes, fields) {
  const columns = [
    ["athlete", ({ name }) => name],
    ["date", ({ date }) => date],
    ...inputColumns(athletes, fields),
    ...ANSWERED,
  ];
  return {
    columns: columns.map(([name]) => name),
    rows: athletes.map((athlete) => columns.map(([, content]) => content(athlete) ?? null)),
  };
}

/** The squad as CSV, one athlete a row, in the order that is given. */
export function downloadCsv(athletes, fields, name) {
  const { columns, rows } = squadTable(athletes, fields);
  download(`${name}-squad.csv`, csvOf([columns, ...rows]), "text/csv");
}

/** The same as an Excel file, which the service writes. */
export async function downloadExcel(athletes, fields, name) {
  const response = await send("v1/export", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(squadTable(athletes, fields)),
  });
  if (!response.ok) await jsonOf(response);
  download(`${name}-squad.xlsx`, await response.blob(), response.headers.get("content-type"));
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
