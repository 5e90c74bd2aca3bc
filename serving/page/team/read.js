// A sheet to the service, and what it was read as.
import { told } from "../ask.js";
import { sentence } from "./words.js";

/** Read a file as the mapping says, which may be empty. */
export async function readSheet(file, mapping, signal) {
  const body = new FormData();
  body.append("file", file);
  body.append("mapping", JSON.stringify(mapping));
  return told(await fetch("v1/import", { method: "POST", body, signal }));
}

/** Rows that were not scored, each with its reasons as texts. */
export function rowsLeftOut(sheet, athletes) {
  const refused = new Map(athletes.filter((one) => one.faults.length).map((one) => [one.line, one.faults]));
  return sheet.rows
    .filter((row) => row.status === "bad" || row.status === "waiting" || refused.has(row.line))
    .map((row) => ({ ...row, why: refused.get(row.line) ?? reasons(row) }));
}

function reasons(row) {
  const shown = (place) => row.cells.find((cell) => cell.place === place)?.shown;
  const found = row.reasons.map(({ column, place, message, allowed }) => {
    const text = column ? `${column}${shown(place) ? ` “${shown(place)}”` : ""} ${message}` : sentence(message);
    return allowed && !text.includes(allowed) ? `${text}: ${allowed}` : text;
  });
  return found.length ? found : ["A question about the sheet is open"];
}
