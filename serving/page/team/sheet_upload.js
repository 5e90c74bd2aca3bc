// A sheet to the service, and why rows of it were not scored.
import { send } from "../lib/access_key.js";
import { jsonOf } from "../lib/api_client.js";
import { capitalized } from "../lib/number_format.js";
import { text } from "../lib/texts.js";

/** Read the files of a squad as the mapping says, which may be empty. */
export async function readSheet(files, mapping, signal) {
  const body = new FormData();
  for (const file of files) body.append("file", file);
  body.append("mapping", JSON.stringify(mapping));
  return jsonOf(await send("v1/import", { method: "POST", body, signal }));
}

/** Rows that were not scored, each with explanations. */
export function rowsLeftOut(sheet, athletes) {
  const refused = new Map(
    athletes.filter(({ faults }) => faults.length).map(({ line, faults }) => [line, faults]),
  );
  return sheet.rows
    .filter(({ status, line }) => status === "bad" || status === "waiting" || refused.has(line))
    .map((row) => ({ ...row, explanations: explanationsOf(row, refused.get(row.line)) }));
}

/** Rows that are scored without some of their cells, each with why. */
export const rowsWithLostCells = (sheet, left) =>
  sheet.rows
    .filter((row) => row.reasons.length && !left.some(({ line }) => line === row.line))
    .map((row) => ({ ...row, explanations: explanationsOf(row) }));

// Each with the cell that it is about, if one would mend it.
function explanationsOf(row, refused) {
  if (refused) return refused.map((words) => ({ words }));
  const explanations = row.reasons.map((reason) => explanation(row, reason));
  return explanations.length ? explanations : [{ words: text("page.sheet.open_question") }];
}

function explanation(row, { code, column, place, message, allowed, proposal }) {
  const shown = row.cells.find((cell) => cell.place === place)?.shown ?? "";
  const where = shown ? `${column} “${shown}”` : column;
  const sentence = column ? `${where} ${message}` : capitalized(message);
  const words = allowed && !sentence.includes(allowed) ? `${sentence}: ${allowed}` : sentence;
  return { code, words, place, shown, proposal };
}

/** The cells that a person changed or left out, of all rows. */
export const changedCells = ({ rows, columns }) =>
  rows.flatMap((row) => changesOf(row, columns).map((change) => ({ ...change, line: row.line })));

/** The same of one row. */
export const changesOf = ({ cells }, columns) =>
  cells
    .filter(({ was }) => was !== undefined)
    .map(({ place, shown, was }) => {
      const column = columns.find((one) => one.place === place);
      return { place, column: column.column || place, was, now: shown };
    });
