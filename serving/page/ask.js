// The service: what is asked of it, and what its problems mean for the fields.
import { remove } from "./check.js";

export class Problem extends Error {
  constructor(status, about) {
    super(about?.detail ?? about?.title ?? "The service did not answer.");
    this.status = status;
    this.faults = about?.faults ?? [];
    this.requestId = about?.request_id;
  }
}

/** What a response says; a refusal is thrown as a `Problem`. */
export async function told(response) {
  if (response.ok) return response.json();
  throw new Problem(response.status, await response.json().catch(() => null));
}

export const get = async (path) => told(await fetch(path, { cache: "no-cache" }));

export async function post(path, body, signal) {
  const response = await fetch(path, {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body), signal,
  });
  return (response.headers.get("content-type") ?? "").startsWith("text/html") && response.ok
    ? response.text()
    : told(response);
}

/** `/left/hip_drop_deg` -> `left.hip_drop_deg`, below a prefix such as `/screening`. */
export const pathOf = (pointer, prefix = "") =>
  pointer.slice(prefix.length + 1).split("/").map((s) => s.replaceAll("~1", "/").replaceAll("~0", "~")).join(".");

/**
 * An answer to the sound part of a screening. What the service refuses is taken out and told by
 * field, so that one value at fault does not silence the rest.
 */
export async function predict(given, signal) {
  const body = structuredClone(given), faults = {};
  for (let turn = 0; turn < 4; turn += 1) {
    try {
      return { answer: await post("v1/predict", body, signal), faults, body };
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 422) throw error;
      const held = error.faults.filter((fault) => remove(body, pathOf(fault.pointer)));
      for (const fault of error.faults) faults[pathOf(fault.pointer)] = { fault: fault.message, tries: [] };
      if (!held.length) throw error;
    }
  }
  throw new Problem(422, { detail: "These values contradict each other." });
}
