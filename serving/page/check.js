// From what was typed to the body of a request: what is sound goes in, what is not is held back.
import { unit, value } from "./words.js";

const NUMBER = /^[-+−]?(\d+([.,]\d*)?|[.,]\d+)$/;
const NOT_FINITE = /^[-+−]?(nan|inf|infinity)$/i;

/**
 * What was typed in one field: {value}, {code, fault, tries} or {} when nothing was. Limits and
 * choices are those of the schema, and the codes are its fault codes, as for a request or a file.
 */
export function read(field, text) {
  const typed = (text ?? "").trim();
  if (!typed) return {};
  const refused = (code, fault, tries = []) => ({ code, fault, tries });
  if (field.kind === "choice") {
    if (field.choices.includes(typed)) return { value: typed };
    return refused("unknown_choice", "is not one of the choices");
  }
  if (NOT_FINITE.test(typed)) return refused("not_finite", "is not a number");
  if (!NUMBER.test(typed)) return refused("not_a_number", "is not a number");
  const number = Number(typed.replace(",", ".").replace("−", "-"));
  const { minimum: low, maximum: high } = field.about;
  if (field.kind === "integer" && !Number.isInteger(number)) {
    return refused("not_a_number", "must be a whole number");
  }
  if (number < low || number > high) {
    const told = unit(field.about.unit);
    const range = `${value(low)} to ${value(high)}${told ? (told === "°" ? "°" : ` ${told}`) : ""}`;
    const fault = `${value(number)} is outside the possible range, ${range}`;
    return refused("outside_limits", fault, tries(field, typed, number));
  }
  return { value: number };
}

// A slip of the finger: a digit too many in front, or a lost decimal point. It needs a press.
function tries(field, typed, number) {
  const { minimum: low, maximum: high, typical } = field.about;
  const near = (typical ?? []).flatMap((norm) => [norm.female, norm.male]).filter(Boolean);
  const usual = (x) => !near.length || near.some(({ mean, sd }) => Math.abs(x - mean) <= 3 * sd);
  const without = Number(typed.replace(",", ".").replace(/^[-+−]?\d/, ""));
  return [without, number / 10, number / 100]
    .filter((x) => Number.isFinite(x) && x >= low && x <= high && usual(x))
    .filter((x) => field.kind !== "integer" || Number.isInteger(x))
    .slice(0, 2);
}

/** The body of a screening; faults by field; fields that wait for another, such as a protocol. */
export function assemble(draft, fields, needs) {
  const body = {}, faults = {}, waits = [];
  for (const field of fields) {
    const found = read(field, draft.values[field.path]);
    if (found.fault) faults[field.path] = found;
    if (found.value !== undefined) put(body, field.path, found.value);
  }
  for (const [protocol, measures] of Object.entries(needs)) {
    if (body.protocol?.[protocol]) continue;
    const bare = fields.filter((f) => f.side && measures.includes(f.name) && get(body, f.path) !== undefined);
    for (const field of bare) remove(body, field.path);
    if (bare.length) {
      waits.push(...bare.map((f) => f.path));
      faults[`protocol.${protocol}`] = { fault: "Say how it was done, so that the values count", tries: [], wait: true };
    }
  }
  if (draft.flags.length) body.red_flags = draft.flags;
  else if (draft.cleared) body.red_flags = [];
  if (draft.equipment) body.equipment = draft.equipment;
  const ready = body.athlete?.age_years !== undefined && body.athlete?.sex !== undefined;
  return { body, faults, waits, ready };
}

export function put(body, path, value) {
  const steps = path.split("."), last = steps.pop();
  let at = body;
  for (const step of steps) at = at[step] ??= {};
  at[last] = value;
}

export function get(body, path) {
  return path.split(".").reduce((at, step) => at?.[step], body);
}

/** Take a value out of a body, and what is empty without it; true where there was one. */
export function remove(body, path) {
  const steps = path.split("."), last = steps.pop();
  const at = steps.length ? get(body, steps.join(".")) : body;
  if (!at || !(last in at)) return false;
  delete at[last];
  if (steps.length && !Object.keys(at).length) remove(body, steps.join("."));
  return true;
}
