// From what was typed to the body of a request: valid values go in, the others are held back.
import { converted, toOwnUnit } from "./measure_units.js";
import { text, variant } from "./texts.js";

const NUMBER = /^[-+−]?(\d+([.,]\d*)?|[.,]\d+)$/;

const WITH_UNIT = /^\d[\d.,]*\s*\S{1,12}$/;
const NOT_FINITE = /^[-+−]?(nan|inf|infinity)$/i;

const toNumber = (typed) => Number(typed.replace(",", ".").replace("−", "-"));

/**
 * What was typed in one field: {value}, {code, message, suggestions} or {} when nothing was.
 * Limits and choices are those of the schema, and the codes are its fault codes, as for a request
 * or a file.
 */
export function parseField(field, typedText, conversion = { factor: 1 }) {
  const typed = (typedText ?? "").trim();
  if (!typed) return {};
  return field.kind === "choice"
    ? parseChoice(field, typed)
    : parseNumber(field, typed, conversion);
}

const faultOf = (code, message, suggestions = []) => ({ code, message, suggestions });
const notAllowed = (code, field, suggestions) =>
  faultOf(code, text("shared.limits.must_be", { allowed: field.measure.allowed }), suggestions);

function parseChoice(field, typed) {
  return field.choices.includes(typed) ? { value: typed } : notAllowed("unknown_choice", field);
}

function parseNumber(field, typed, { factor, missing }) {
  if (NOT_FINITE.test(typed)) return faultOf("not_finite", text("shared.fault.not_finite"));
  if (!NUMBER.test(typed)) {
    const rule = field.kind === "integer" ? "not_whole" : "not_a_number";
    const fault = faultOf("not_a_number", variant("shared.fault", rule));
    // The service may know the unit that was written with it.
    return WITH_UNIT.test(typed) ? { ...fault, number: typed } : fault;
  }
  if (missing) return { ...faultOf("waits", variant("page.fault", missing)), waits: true };
  return withinLimits(field, typed, converted(toNumber(typed), factor), factor);
}

function withinLimits(field, typed, number, factor) {
  if (field.kind === "integer" && !Number.isInteger(number)) {
    return faultOf("not_a_number", text("shared.fault.not_whole"));
  }
  const { minimum, maximum } = field.measure;
  if (number >= minimum && number <= maximum) return { value: number };
  const suggestions = factor === 1 ? suggestionsFor(field, typed, number) : [];
  return { ...notAllowed("outside_limits", field, suggestions), number, factor };
}

// A slip of the finger: one digit too many in front, or a lost decimal point. It needs a press.
function suggestionsFor(field, typed, number) {
  const { minimum, maximum, typical } = field.measure;
  const norms = (typical ?? []).flatMap((norm) => [norm.female, norm.male]).filter(Boolean);
  const isUsual = (x) =>
    !norms.length || norms.some(({ mean, sd }) => Math.abs(x - mean) <= 3 * sd);
  const withoutFirstDigit = Number(typed.replace(",", ".").replace(/^[-+−]?\d/, ""));
  return [withoutFirstDigit, number / 10, number / 100]
    .filter((x) => Number.isFinite(x) && x >= minimum && x <= maximum && isUsual(x))
    .filter((x) => field.kind !== "integer" || Number.isInteger(x))
    .slice(0, 2);
}

/** The body of a screening; faults by field; fields that wait for another, such as a protocol. */
export function assemble(draft, fields, protocolNeeds) {
  const body = {};
  const faults = {};
  const massField = fields.find(({ name }) => name === "mass_kg");
  for (const field of fields) {
    const conversion = toOwnUnit(field, draft, massField);
    const parsed = parseField(field, draft.values[field.path], conversion);
    if (parsed.message) faults[field.path] = parsed;
    if (parsed.value !== undefined) setAt(body, field.path, parsed.value);
  }
  const waiting = holdBack(body, faults, fields, protocolNeeds);
  if (draft.flags.length) body.red_flags = draft.flags;
  else if (draft.cleared) body.red_flags = [];
  if (draft.equipment) body.equipment = draft.equipment;
  const ready = body.athlete?.age_years !== undefined && body.athlete?.sex !== undefined;
  return { body, asked: withNumbersOutside(body, faults), faults, waiting, ready };
}

// The service is asked about what was refused too, for it may know the slip.
function withNumbersOutside(body, faults) {
  const asked = structuredClone(body);
  for (const [path, { number }] of Object.entries(faults)) {
    if (number !== undefined) setAt(asked, path, number);
  }
  return asked;
}

// Values that need a protocol wait until it is stated.
function holdBack(body, faults, fields, protocolNeeds) {
  const waiting = [];
  for (const [protocol, measures] of Object.entries(protocolNeeds)) {
    if (body.protocol?.[protocol]) continue;
    const held = fields.filter(
      (field) =>
        field.side && measures.includes(field.name) && getAt(body, field.path) !== undefined,
    );
    if (!held.length) continue;
    for (const field of held) removeAt(body, field.path);
    waiting.push(...held.map((field) => field.path));
    const message = text("page.fault.protocol");
    faults[`protocol.${protocol}`] = { message, suggestions: [], waits: true };
  }
  return waiting;
}

export function setAt(body, path, newValue) {
  const keys = path.split(".");
  const last = keys.pop();
  let parent = body;
  for (const key of keys) parent = parent[key] ??= {};
  parent[last] = newValue;
}

export const getAt = (body, path) => path.split(".").reduce((parent, key) => parent?.[key], body);

/** Take a value out of a body, and what is empty without it; true where there was one. */
export function removeAt(body, path) {
  const keys = path.split(".");
  const last = keys.pop();
  const parent = keys.length ? getAt(body, keys.join(".")) : body;
  if (!parent || !(last in parent)) return false;
  delete parent[last];
  if (keys.length && !Object.keys(parent).length) removeAt(body, keys.join("."));
  return true;
}
