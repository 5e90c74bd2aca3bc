// The form's fields, made from the schema: stations, rows, and one field for each value.
import { SIDES, STATIONS } from "./words.js";

/** Rows by station, in the order of the walk. A row has one field, or one for each side. */
export function stations(schema, model) {
  const rows = [
    ...rowsOf(schema.$defs.Athlete, ["athlete"]),
    ...rowsOf(schema.$defs.Protocol, ["protocol"]),
    ...rowsOf(schema.$defs.LegPain, SIDES.map((side) => `pain.${side}`)),
    ...rowsOf(schema.$defs.Leg, SIDES),
  ];
  for (const row of rows) row.known = knownTo(model, row);
  const keys = Object.keys(STATIONS);
  const found = [...new Set(rows.map((row) => row.station))];
  found.sort((a, b) => (keys.indexOf(a) + 1 || 99) - (keys.indexOf(b) + 1 || 99));
  return found.map((key) => ({
    key,
    title: STATIONS[key]?.[0] ?? key,
    note: STATIONS[key]?.[1] ?? "",
    rows: rows.filter((row) => row.station === key),
  }));
}

function rowsOf(definition, sections) {
  const required = new Set(definition.required ?? []);
  return Object.entries(definition.properties).map(([name, about]) => ({
    name,
    about,
    title: about.title,
    station: about.station,
    protocol: sections[0] === "protocol",
    fields: sections.map((section) => field(section, name, about, required.has(name))),
  }));
}

function field(section, name, about, required) {
  const side = SIDES.find((one) => section.split(".").includes(one)) ?? null;
  const types = [about.type].flat();
  return {
    path: `${section}.${name}`, section, name, side, about, required,
    column: side ? `${side}_${name}` : name,
    label: side ? `${about.title}, ${side}` : about.title,
    kind: about.enum ? "choice" : types.includes("integer") ? "integer" : "number",
    choices: about.enum?.filter((code) => code !== null),
  };
}

// What the model never saw is kept and shown, but moves nothing; parts of a known ratio do.
function knownTo(model, row) {
  if (!model || row.protocol || row.fields[0].section.startsWith("pain")) return true;
  const parts = ["longest_run_30d_km", "next_long_run_km"];
  return row.fields[0].column in model.population || parts.includes(row.name);
}

export const allFields = (all) => all.flatMap((station) => station.rows.flatMap((row) => row.fields));

/** Protocol -> the measures that need it stated, read out of the schema's rules. */
export function needs(schema) {
  const found = {};
  for (const rule of schema.allOf ?? []) {
    const [protocol] = rule.then?.properties?.protocol?.required ?? [];
    if (!protocol) continue;
    found[protocol] = (rule.if?.anyOf ?? [])
      .flatMap((one) => Object.values(one.properties ?? {}))
      .flatMap((side) => side.anyOf ?? [])
      .flatMap((one) => one.required ?? []);
  }
  return found;
}

/** Mean and SD that are usual for the sex and the protocol; null where none is published. */
export function typical(about, values) {
  const chosen = Object.entries(values)
    .filter(([path]) => path.startsWith("protocol."))
    .map(([, code]) => code);
  const norms = about.typical ?? [];
  const norm = norms.find((one) => chosen.includes(one.condition)) ??
    norms.find((one) => one.condition === null) ?? (norms.length ? norms[0] : null);
  if (!norm) return null;
  const sexes = [norm.female, norm.male].filter(Boolean);
  const own = norm[values["athlete.sex"]];
  const pairs = own ? [own] : sexes;
  if (!pairs.length) return null;
  const mean = (key) => pairs.reduce((sum, pair) => sum + pair[key], 0) / pairs.length;
  return {
    mean: mean("mean"), sd: mean("sd"), source: norm.source, condition: norm.condition,
    assumed: norm.source.startsWith("assumption"),
  };
}
