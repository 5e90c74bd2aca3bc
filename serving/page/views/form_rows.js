// Rows of the form: facts of the athlete, protocols, and measures of both legs.
import { pose } from "../lib/icon.js";
import { typical } from "../lib/form_fields.js";
import { converted, leverArm, needsLeverArm, unitInForce } from "../lib/measure_units.js";
import {
  capitalized,
  choice,
  degreeSign,
  fixed,
  numberWithUnit,
  unit,
  value,
} from "../lib/number_format.js";
import { getAt } from "../lib/screening_body.js";
import { text, variant } from "../lib/texts.js";
import { legName, sideName, SIDES } from "../lib/wording.js";
import { html, nothing } from "../vendor/lit-html.js";
import { fromLog } from "./training_log.js";

const idOf = (path) => `f-${path.replaceAll(".", "-")}`;

export function formRows(rows, state, actions) {
  const singles = rows.filter((row) => row.fields.length === 1 && !row.isProtocol);
  const protocols = rows.filter((row) => row.isProtocol);
  const pairs = rows.filter((row) => row.fields.length === 2 && isAsked(row, state));
  // How a test was done stands just above the first value that it gives.
  const testOf = (row) => row.measure.test;
  const protocolsAbove = (row) =>
    protocols.filter(
      (protocol) =>
        testOf(protocol) === testOf(row) &&
        pairs.find((pair) => testOf(pair) === testOf(protocol)) === row,
    );
  const facts = singles.length
    ? html`<div class="facts">${singles.map((row) => factCell(row, state, actions))}</div>`
    : nothing;
  const protocolsOf = (row) =>
    protocolsAbove(row).map((protocol) => protocolRow(protocol, state, actions));
  const drawn = drawnRows(pairs, state.texts.poses);
  const legs = pairs.map(
    (row) => html`${protocolsOf(row)}${legRow(row, state, actions, drawn.get(row))}`,
  );
  return singles[0]?.station === "history" ? html`${legs}${facts}` : html`${facts}${legs}`;
}

// The first row of each test that has a drawing, with its name.
function drawnRows(pairs, poses) {
  const drawn = new Map();
  for (const row of pairs) {
    const { test } = row.measure;
    if (poses.includes(test) && ![...drawn.values()].includes(test)) drawn.set(row, test);
  }
  return drawn;
}

// Where and how long it hurts is asked once a knee hurts.
function isAsked(row, { draft }) {
  if (!row.fields[0].section.startsWith("pain") || row.name === "pain_nrs") return true;
  const isFilled = row.fields.some(({ path }) => draft.values[path]);
  return isFilled || SIDES.some((side) => Number(draft.values[`pain.${side}.pain_nrs`]) > 0);
}

function factCell(row, state, actions) {
  const [field] = row.fields;
  const id = idOf(field.path);
  const norm = normOf(row, state);
  const needed = html` <span class="need">${text("page.form.needed")}</span>`;
  const input =
    field.kind === "choice"
      ? choiceInput(field, state, actions)
      : numberInput(field, state, actions, `${id}-t`);
  return html`<div class="fact">
    <label for=${id}>${row.title}${field.required ? needed : nothing}</label>
    ${input} ${fromLog(field, state, actions)}
    <p id=${`${id}-t`}>${norm ? `${norm.range}. ` : ""}${row.measure.description}</p>
    ${faultLine(field, state, actions)}
  </div>`;
}

function protocolRow(row, state, actions) {
  const [field] = row.fields;
  const id = idOf(field.path);
  const isBad = Boolean(state.faults[field.path]);
  const chosen = state.draft.values[field.path] ?? "";
  const clearLabel = text("page.form.not_stated", { measure: row.title });
  const clear = html`<button type="button" @click=${() => actions.setValue(field.path, "")}
    aria-label=${clearLabel}>×</button>`;
  const option = (code) =>
    html`<label><input type="radio" class="vh" name=${id} value=${code} .checked=${chosen === code}
      aria-describedby=${isBad ? `${id}-e` : nothing}
      @change=${() => actions.setValue(field.path, code)}><span>${choice(code)}</span></label>`;
  return html`<div class=${isBad ? "row row--how row--bad" : "row row--how"} role="group"
    aria-labelledby=${`${id}-n`}>
    ${rowHead(row, id)}
    <div class="seg">${field.choices.map(option)} ${chosen ? clear : nothing}</div>
    ${faultLine(field, state, actions)}
  </div>`;
}

const rowHead = (row, id, units = nothing, drawing = null) =>
  html`<div class="row__head"><div><p class="row__name" id=${`${id}-n`}>${row.title}</p>
    <p class="row__hint">${row.measure.description}</p>${units}</div>
    ${drawing ? pose(drawing) : nothing}</div>`;

function legRow(row, state, actions, drawing) {
  const norm = normOf(row, state);
  const difference = sideDifference(row, state);
  const id = idOf(row.fields[0].path);
  return html`<div class="row" role="group" aria-labelledby=${`${id}-n`}>
    ${rowHead(row, id, unitsOfRow(row, state, actions), drawing)}
    <div class="pair">${row.fields.map((field) =>
      field.kind === "choice"
        ? legChoice(row, field, state, actions)
        : numberInput(field, state, actions, `${id}-t`),
    )}</div>
    <p class="row__typ" id=${`${id}-t`}>${norm ? normLines(norm) : nothing} ${difference}</p>
    ${row.fields.map((field) => faultLine(field, state, actions))}
  </div>`;
}

function legChoice(row, field, state, actions) {
  const rest = text("page.form.knee_of", { measure: row.title });
  const side = sideName(field.side);
  return html`<div class="fact">
    <label for=${idOf(field.path)}>${side}<span class="vh"> ${rest}</span></label>
    ${choiceInput(field, state, actions)}</div>`;
}

const normLines = (norm) =>
  html`<b>${norm.range}</b>${norm.isAssumed ? ` (${text("page.assumed")})` : ""}<br>${norm.error}`;

function normOf(row, state) {
  const { measure } = row;
  const norm = typical(measure, state.draft.values);
  if (!norm) return null;
  const digits = norm.sd >= 2 ? 0 : norm.sd >= 0.2 ? 1 : 2;
  const [low, high] = [norm.mean - norm.sd, norm.mean + norm.sd].map((x) =>
    fixed(Math.max(x, measure.minimum), digits),
  );
  const error = measure.sem
    ? text("page.form.one_reading", { error: fixed(1.96 * measure.sem, digits || 1) })
    : text("page.form.error_not_published");
  const isOther = Boolean(unitInForce(row.fields[0], state.draft));
  const sign = isOther ? ` ${unit(measure.unit)}` : degreeSign(measure.unit);
  const range = text("page.form.typical", { low, high: high + sign });
  return { range, isAssumed: norm.isAssumed, error };
}

function sideDifference(row, state) {
  const found = state.answer?.side_differences?.find(({ measure }) => measure === row.name);
  const areFilled = row.fields.every(({ path }) => state.draft.values[path]);
  if (!found || !areFilled) return nothing;
  const size = value(Math.abs(found.difference)) + degreeSign(found.unit);
  const reading = variant("page.error", found.beyond_error ? "beyond" : "within");
  return html`<br>${text("page.form.sides_differ", { size })} ${
    found.beyond_error ? html`<b>${reading}</b>` : reading
  } (${value(found.detectable)})`;
}

function choiceInput(field, state, actions) {
  const chosen = state.draft.values[field.path] ?? "";
  const id = idOf(field.path);
  const empty = field.required ? text("page.form.choose") : text("page.form.choice_not_asked");
  return html`<select id=${id} aria-describedby=${field.side ? nothing : `${id}-t`}
    aria-invalid=${state.faults[field.path] ? "true" : nothing}
    @change=${(event) => actions.setValue(field.path, event.target.value)}>
    <option value="" ?selected=${!chosen}>${empty}</option>
    ${field.choices.map(
      (code) => html`<option value=${code} ?selected=${chosen === code}>${choice(code)}</option>`,
    )}</select>`;
}

function numberInput(field, state, actions, descriptionId) {
  const typed = state.draft.values[field.path] ?? "";
  const sign = field.units.length ? "" : unitOf(field);
  return html`<div class=${cellClass(field, state, typed)}>
    ${field.side ? sideLabel(field) : nothing}
    ${field.measure.minimum < 0 ? signButton(field, typed, actions) : nothing}
    ${textInput(field, state, actions, descriptionId)}
    ${sign ? html`<i aria-hidden="true">${sign}</i>` : nothing}
    ${field.side || !field.units.length ? nothing : unitSwitch(field, state, actions)}</div>`;
}

// The unit as the device shows it; the page remembers it for the next time.
function unitSwitch(field, { draft }, actions) {
  const current = unitInForce(field, draft);
  const label = text("page.form.unit_of", { measure: field.measure.title });
  const option = (name, words) =>
    html`<option value=${name} ?selected=${name === current}>${words}</option>`;
  return html`<select class="unit" aria-label=${label}
    @change=${(event) => actions.setUnit(field, event.target.value)}>
    ${option("", unitOf(field))}
    ${field.units.map((one) => option(one.unit, unitWords(one)))}</select>`;
}

const unitWords = ({ unit: name, lever_arm: hasLever }) => {
  const words = name === "kgf" ? "kg" : name === "lbf" ? "lb" : unit(name) || name;
  return hasLever ? text("page.form.with_lever", { unit: words }) : words;
};

// Both legs are read in one unit; a force at a lever arm needs the arm, once.
function unitsOfRow(row, state, actions) {
  const [field] = row.fields;
  if (!field.units.length) return nothing;
  const lever = () =>
    html`<label class="lever">${text("page.form.lever")}<input type="text" inputmode="decimal"
      autocomplete="off" .value=${leverArm(state.draft)}
      @input=${(event) => actions.setLever(event.target.value)}></label>`;
  return html`<div class="units">${unitSwitch(field, state, actions)}
    ${needsLeverArm(field, state.draft) ? lever() : nothing}${readAs(row, state)}</div>`;
}

// What the typed numbers are in the measure's own unit.
function readAs(row, { draft, body }) {
  if (!body || !unitInForce(row.fields[0], draft)) return nothing;
  const read = row.fields
    .map(({ path, measure }) => [getAt(body, path), measure.unit])
    .filter(([number]) => number !== undefined)
    .map(([number, own]) => numberWithUnit(number, own));
  return read.length ? html`<small>= ${read.join(", ")}</small>` : nothing;
}

function textInput(field, state, actions, descriptionId) {
  const isBad = Boolean(state.faults[field.path]);
  const id = idOf(field.path);
  const ids = [isBad ? `${id}-e` : "", descriptionId].filter(Boolean).join(" ");
  return html`<input id=${id} type="text"
    inputmode=${field.kind === "integer" ? "numeric" : "decimal"} enterkeyhint="next"
    autocomplete="off" placeholder=${field.side ? "–" : ""}
    aria-invalid=${isBad ? "true" : nothing}
    aria-describedby=${ids} .value=${state.draft.values[field.path] ?? ""}
    @input=${(event) => actions.setValue(field.path, event.target.value)}>`;
}

function unitOf({ kind, measure }) {
  const isGrade = kind === "integer" && measure.unit === "grade";
  return isGrade ? text("page.form.grade_of", { maximum: measure.maximum }) : unit(measure.unit);
}

function cellClass(field, state, typed) {
  if (state.faults[field.path]) return "cell cell--bad";
  if (!typed.trim()) return "cell cell--empty";
  return state.waiting.includes(field.path) ? "cell cell--wait" : "cell";
}

// The first letter of the side is seen; the rest is for those who listen.
function sideLabel({ side, path, measure }) {
  const leg = legName(side);
  const words = measure.unit ? `${measure.title}, ${measure.unit}` : measure.title;
  const rest = html`<span class="vh">${leg.slice(1)}: ${words}</span>`;
  return html`<label for=${idOf(path)}>${leg[0]}${rest}</label>`;
}

// The number pads of phones have no minus.
function signButton(field, typed, actions) {
  const change = () => {
    const trimmed = typed.trim();
    actions.setValue(field.path, /^[-−]/.test(trimmed) ? trimmed.slice(1) : `-${trimmed}`);
    document.getElementById(idOf(field.path)).focus();
  };
  const label = text("page.form.change_sign", { measure: field.label });
  return html`<button type="button" class="sign-key" tabindex="-1" aria-label=${label}
    @click=${change}>±</button>`;
}

function faultLine(field, state, actions) {
  const fault = state.faults[field.path];
  if (!fault) return nothing;
  const side = field.side ? `${sideName(field.side)}: ` : "";
  const message = capitalized(fault.message);
  const sentence = fault.waits ? `${message}.` : text("page.form.left_out", { message });
  const suggestion = (x) =>
    html`<button type="button" @click=${() => actions.setValue(field.path, String(x))}>
      ${text("page.form.did_you_mean", { value: value(x) })}</button>`;
  const { proposal, factor = 1 } = fault;
  // It goes into the field in the unit that the field is read in.
  const take = () => actions.setValue(field.path, String(converted(proposal.value, 1 / factor)));
  const proposed = proposal
    ? html`<span>${proposal.message}.</span>
      <button type="button" @click=${take}>
        ${text("page.form.take_proposal", { value: value(proposal.value) })}</button>`
    : nothing;
  return html`<p class="fault" id=${`${idOf(field.path)}-e`}><span>${side}${sentence}</span>
    ${proposed}${fault.suggestions.map(suggestion)}</p>`;
}
