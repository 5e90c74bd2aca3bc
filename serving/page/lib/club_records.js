// A club's records: whether the service keeps any, and requests with the club's key.
import { jsonOf } from "./api_client.js";
import { loadClubKey } from "./local_storage.js";

export const keepsRecords = () => document.documentElement.dataset.records === "yes";

/**
 * The JSON of a request that the club's key opens.
 *
 * Unlike other requests it asks for no key: whoever closed the records may want them closed.
 */
export async function clubJson(path, { body = null, headers = {} } = {}) {
  const sent = { ...headers, authorization: `Bearer ${loadClubKey()}` };
  if (!body) return jsonOf(await fetch(path, { headers: sent, cache: "no-store" }));
  sent["content-type"] = "application/json";
  return jsonOf(await fetch(path, { method: "POST", headers: sent, body: JSON.stringify(body) }));
}

/** Keep a screening and the numbers of its answer; gives the answer's id. */
export async function keepScreening(body, { athlete, date, idempotencyKey }) {
  const headers = {
    "kneerisk-record": "yes",
    "kneerisk-athlete": athlete,
    "kneerisk-date": date,
    "idempotency-key": idempotencyKey,
  };
  const { answer_id: answerId } = await clubJson("v1/predict?fields=summary", { body, headers });
  return answerId;
}

/** How an athlete's id may be written, as the service has it. */
export const isAthleteId = (typed) => /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(typed);
