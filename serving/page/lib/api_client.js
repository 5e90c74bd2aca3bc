// Requests to the service, and what its problems mean for the fields of the form.
import { send } from "./access_key.js";
import { removeAt } from "./screening_body.js";
import { text } from "./texts.js";

export class Problem extends Error {
  constructor(status, details) {
    super(details?.detail ?? details?.title ?? text("page.service.no_answer"));
    this.status = status;
    this.faults = details?.faults ?? [];
    this.requestId = details?.request_id;
  }
}

/** The JSON of a response; a refusal is thrown as a `Problem`. */
export async function jsonOf(response) {
  if (response.ok) return response.json();
  throw new Problem(response.status, await response.json().catch(() => null));
}

export const getJson = async (path) => jsonOf(await send(path, { cache: "no-cache" }));

/** Send a body as JSON; the answer is JSON too, or HTML as a string. */
export async function post(path, body, signal) {
  const response = await send(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    signal,
  });
  const isHtml = (response.headers.get("content-type") ?? "").startsWith("text/html");
  return isHtml && response.ok ? response.text() : jsonOf(response);
}

const unescapePointer = (part) => part.replaceAll("~1", "/").replaceAll("~0", "~");

/** `/left/hip_drop_deg` -> `left.hip_drop_deg`, below a prefix such as `/screening`. */
export const pathOf = (pointer, prefix = "") =>
  pointer
    .slice(prefix.length + 1)
    .split("/")
    .map(unescapePointer)
    .join(".");

const MAX_TRIES = 4;

/**
 * Answer the valid part of a screening. What the service refuses is taken out of the body and
 * reported by field, so that one value at fault does not silence the rest.
 */
export async function predict(screening, signal) {
  const body = structuredClone(screening);
  const faults = {};
  for (let turn = 0; turn < MAX_TRIES; turn += 1) {
    try {
      return { answer: await post("v1/predict", body, signal), faults, body };
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 422) throw error;
      const removed = error.faults.filter((fault) => removeAt(body, pathOf(fault.pointer)));
      for (const fault of error.faults) {
        const { message, proposal } = fault;
        faults[pathOf(fault.pointer)] = { message, proposal, suggestions: [] };
      }
      if (!removed.length) throw error;
    }
  }
  throw new Problem(422, { detail: text("page.service.contradiction") });
}

/** What the service would propose for numbers at fault, though a screening is not complete yet. */
export async function proposals(screening, signal) {
  try {
    await post("v1/predict", screening, signal);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return Object.fromEntries(
      error.faults
        .filter(({ proposal }) => proposal)
        .map(({ pointer, message, proposal }) => [
          pathOf(pointer),
          { message, proposal, suggestions: [] },
        ]),
    );
  }
  return {};
}

/** Compare the saved visits of one athlete; only dates and screenings are sent. */
export const compareVisits = (visits) =>
  post("v1/follow_up", { visits: visits.map(({ date, body }) => ({ date, screening: body })) });

/** Ask for changed measures; those within error or out of range are noted and left out. */
export async function askWhatIf(body, targets, signal) {
  const changes = { ...targets };
  const faults = {};
  while (Object.keys(changes).length) {
    try {
      const result = await post("v1/what_if", { screening: body, changes }, signal);
      return { result, faults };
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 422) throw error;
      const refused = error.faults
        .filter((fault) => fault.pointer.startsWith("/changes/"))
        .map((fault) => [pathOf(fault.pointer, "/changes"), fault])
        .filter(([column]) => column in changes);
      if (!refused.length) throw error;
      for (const [column, fault] of refused) {
        faults[column] = fault;
        delete changes[column];
      }
    }
  }
  return { result: null, faults };
}
