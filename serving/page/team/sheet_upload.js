// A sheet to the service, and why rows of it were not scored.
import { send } from "../lib/access_key.js";
import { jsonOf } from "../lib/api_client.js";
import { capitalized } from "../lib/number_format.js";
import { text } from "../lib/texts.js";

/** Read a file as the mapping says, which may be empty. */
export async function readSheet(file, mapping, signal) {
  const body = new FormData();
  body.append("file", file);
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
    .map((row) => ({ ...row, explanations: refused.get(row.line) ?? explanationsOf(row) }));
}

function explanationsOf(row) {
  const explanations = row.reasons.map((reason) => explanation(row, reason));
  return explanations.length ? explanations : [text("page.sheet.open_question")];
}

function explanation(row, { column, place, message, allowed }) {
  const shown = row.cells.find((cell) => cell.place === place)?.shown;
  const where = shown ? `${column} “${shown}”` : column;
  const sentence = column ? `${where} ${message}` : capitalized(message);
  return allowed && !sentence.includes(allowed) ? `${sentence}: ${allowed}` : sentence;
}
