// The form's fields, made from the schema: stations, rows, and one field for each value.
import { text, variant } from "./texts.js";
import { SIDES } from "./wording.js";

// In the order in which a coach walks through them; a station that is not named comes last.
const STATIONS = ["athlete", "history", "log", "wall", "table", "groin", "camera", "own", "lab"];
const rank = (station) => STATIONS.indexOf(station) + 1 || STATIONS.length + 1;

/** Rows by station, in the order of the walk. A row has one field, or one for each side. */
export function stationsOf(schema, model) {
  const rows = [
    ...rowsOf(schema.$defs.Athlete, ["athlete"]),
    ...rowsOf(schema.$defs.Protocol, ["protocol"]),
    ...rowsOf(
      schema.$defs.LegPain,
      SIDES.map((side) => `pain.${side}`),
    ),
    ...rowsOf(schema.$defs.Leg, SIDES),
  ];
  for (const row of rows) row.known = isKnown(model, row);
  const keys = [...new Set(rows.map((row) => row.station))];
  keys.sort((a, b) => rank(a) - rank(b));
  return keys.map((key) => ({
    key,
    title: variant("page.station.title", key) ?? key,
    note: variant("page.station.note", key) ?? "",
    rows: rows.filter((row) => row.station === key),
  }));
}

function rowsOf(definition, sections) {
  const required = new Set(definition.required ?? []);
  return Object.entries(definition.properties).map(([name, measure]) => ({
    name,
    measure,
    title: measure.title,
    station: measure.station,
    isProtocol: sections[0] === "protocol",
    fields: sections.map((section) => fieldOf(section, name, measure, required.has(name))),
  }));
}

function fieldOf(section, name, measure, required) {
  const side = SIDES.find((code) => section.split(".").includes(code)) ?? null;
  const types = [measure.type].flat();
  return {
    path: `${section}.${name}`,
    section,
    name,
    side,
    measure,
    required,
    column: side ? `${side}_${name}` : name,
    label: side ? sidedLabel(measure.title, side) : measure.title,
    kind: measure.enum ? "choice" : types.includes("integer") ? "integer" : "number",
    choices: measure.enum?.filter((code) => code !== null),
  };
}

/** The label of a measure with its side: "Hip drop, left". */
export const sidedLabel = (label, side) =>
  text("page.sided_label", { label, side: variant("page.side_inline", side) });

// What the model never saw is kept and shown, but has no effect; the coming week's session is no
// part of the risk, but the answer tells about it.
const COMING_WEEK = ["session_spike_ratio", "longest_run_30d_km", "next_long_run_km"];

function isKnown(model, row) {
  if (!model || row.isProtocol || row.fields[0].section.startsWith("pain")) return true;
  return row.fields[0].column in model.population || COMING_WEEK.includes(row.name);
}

export const allFields = (stations) =>
  stations.flatMap((station) => station.rows.flatMap((row) => row.fields));

/** The measures that need each protocol stated, read out of the schema's rules. */
export function protocolNeeds(schema) {
  const needs = {};
  for (const rule of schema.allOf ?? []) {
    const [protocol] = rule.then?.properties?.protocol?.required ?? [];
    if (!protocol) continue;
    needs[protocol] = (rule.if?.anyOf ?? [])
      .flatMap((section) => Object.values(section.properties ?? {}))
      .flatMap((leg) => leg.anyOf ?? [])
      .flatMap((condition) => condition.required ?? []);
  }
  return needs;
}

/** Mean and SD that are usual for the sex and the protocol; null where none is published. */
export function typical(measure, values) {
  const norm = normOf(measure.typical ?? [], values);
  if (!norm) return null;
  const own = norm[values["athlete.sex"]];
  const norms = own ? [own] : [norm.female, norm.male].filter(Boolean);
  if (!norms.length) return null;
  const average = (key) => norms.reduce((sum, sexNorm) => sum + sexNorm[key], 0) / norms.length;
  return {
    mean: average("mean"),
    sd: average("sd"),
    source: norm.source,
    condition: norm.condition,
    isAssumed: norm.source.startsWith("assumption"),
  };
}

function normOf(norms, values) {
  const protocols = Object.entries(values)
    .filter(([path]) => path.startsWith("protocol."))
    .map(([, code]) => code);
  return (
    norms.find((norm) => protocols.includes(norm.condition)) ??
    norms.find((norm) => norm.condition === null) ??
    norms[0]
  );
}
