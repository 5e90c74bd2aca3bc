// What if a measure were another: sliders for what can change, within what the model has seen.
import { in100, interval, points, unit, value, withUnit } from "../lib/number_format.js";
import { plural, text } from "../lib/texts.js";
import { isOpen, isRaised, kneeName } from "../lib/wording.js";
import { html, nothing, svg } from "../vendor/lit-html.js";
import { riskBar } from "./charts.js";
import { fold } from "./folds.js";
import { baseRate, kneesOf, knownKnees } from "./knee_cards.js";

/** So many sliders are shown at first, and so many at most before no more can be added. */
const SHOWN_SLIDERS = 4;
const MAX_SLIDERS = 8;
/** A slider reaches this many SDs from typical. */
const MAX_SDS = 2.5;
const STEPS = 100;

/** The fold with the sliders; nothing where no number holds or nothing measured can change. */
export function whatIfFold(state, actions) {
  const { answer } = state;
  if (!knownKnees(answer).length) return nothing;
  const candidates = candidatesOf(state);
  if (!candidates.length) return nothing;
  const shown = shownOf(state.whatIf, candidates);
  const rest = candidates.filter((input) => !shown.includes(input));
  const canAdd = rest.length && shown.length < MAX_SLIDERS;
  const body = html`<p>${text("page.what_if.explanation")}</p>
    <div class="wi"><div class="wi__in">
      ${shown.map((input) => slider(state, input, actions))}
      <div class="acts">${canAdd ? measureMenu(rest, state, actions) : nothing}
        <button class="btn" type="button" @click=${() => actions.resetWhatIf()}>
          ${text("page.what_if.reset")}</button></div></div>
      <div class="wi__out">${outcome(state)}</div>
    </div>`;
  const result = plural("page.what_if.result", candidates.length);
  return fold("a-whatif", text("page.what_if.heading"), result, body);
}

function measureMenu(inputs, state, actions) {
  const add = (event) => {
    if (event.target.value) actions.addSlider(event.target.value);
    event.target.value = "";
  };
  const label = text("page.what_if.add");
  return html`<div class="fact wi__add"><label class="vh" for="wi-add">${label}</label>
    <select id="wi-add" @change=${add}><option value="">${label}</option>${inputs.map(
      ({ column }) => html`<option value=${column}>${state.labels[column]}</option>`,
    )}</select></div>`;
}

/** Columns that can be moved: measured, modifiable, numeric, inside what the model has seen. */
function candidatesOf({ answer, fieldOf }) {
  const effect = (column) =>
    Math.max(
      0,
      ...answer.drivers
        .filter(({ measure, side }) => column === measure || column === `${side}_${measure}`)
        .map((driver) => Math.abs(driver.points)),
    );
  return answer.inputs
    .filter(
      (input) =>
        input.status === "used" &&
        typeof input.value === "number" &&
        input.range_seen &&
        fieldOf[input.column]?.measure.modifiable,
    )
    .sort((a, b) => effect(b.column) - effect(a.column));
}

// Those with the largest effect, those that were moved, those that were added.
function shownOf({ added, targets }, candidates) {
  const own = candidates.filter((input) => added.includes(input.column));
  const others = candidates.filter((input) => !own.includes(input));
  const first = others.slice(0, Math.max(0, SHOWN_SLIDERS - own.length));
  const moved = others.filter((input) => input.column in targets && !first.includes(input));
  return [...first, ...moved, ...own];
}

/** The range and step of a slider, with the measured value on its grid. */
function scaleOf(input, field) {
  const { measure, kind } = field;
  let low = Math.max(measure.minimum, input.range_seen[0]);
  let high = Math.min(measure.maximum, input.range_seen[1]);
  if (input.typical) {
    const { mean, sd } = input.typical;
    low = Math.max(low, Math.min(input.value, mean - MAX_SDS * sd));
    high = Math.min(high, Math.max(input.value, mean + MAX_SDS * sd));
  }
  const step = kind === "integer" ? 1 : niceStep((high - low) / STEPS);
  const min = input.value - Math.floor((input.value - low) / step + 1e-9) * step;
  const max = input.value + Math.floor((high - input.value) / step + 1e-9) * step;
  return { min, max, step };
}

/** The smallest of 1, 2, 5 and 10 times a power of ten that is no smaller. */
function niceStep(smallest) {
  const power = 10 ** Math.floor(Math.log10(smallest || 1));
  return ([1, 2, 5].find((n) => n * power >= smallest) ?? 10) * power;
}

const rounded = (x) => Number(x.toPrecision(10));

function slider(state, input, actions) {
  const field = state.fieldOf[input.column];
  const scale = scaleOf(input, field);
  const target = state.whatIf.targets[input.column] ?? input.value;
  const id = `w-${input.column}`;
  const fault = state.whatIf.faults[input.column];
  const note = fault ? faultNote(fault) : null;
  const current = withUnit(target, input.unit);
  const move = (event) => actions.moveSlider(input.column, Number(event.target.value), input.value);
  const measured = text("page.what_if.measured", { value: withUnit(input.value, input.unit) });
  return html`<div class="wi__one">
    <label for=${id}>${state.labels[input.column]}
      <output for=${id} class="num">${current}</output></label>
    <input id=${id} type="range" min=${rounded(scale.min)} max=${rounded(scale.max)}
      step=${rounded(scale.step)} .value=${String(target)}
      aria-valuetext=${note ? `${current}, ${note}` : current} aria-describedby=${`${id}-n`}
      @input=${move}>
    ${sliderScale(input, scale, detectableChange(state, input, field))}
    <p class="small num" id=${`${id}-n`}><span>${value(scale.min)}</span>
      <span class=${note ? "wi__note" : ""}>${note ?? measured}</span>
      <span>${value(scale.max)}</span></p></div>`;
}

/** The measured value on the slider, and the range of its measurement error. */
function sliderScale(input, { min, max }, detectable) {
  const at = (x) => Math.min(100, Math.max(0, (100 * (x - min)) / (max - min || 1)));
  const low = at(input.value - detectable);
  const error = () =>
    svg`<rect class="c-norm" x=${`${low}%`} width=${`${at(input.value + detectable) - low}%`}
      y="3" height="6" rx="3"/>`;
  const x = `${at(input.value)}%`;
  return html`<svg class="wi__scale" aria-hidden="true">${detectable ? error() : nothing}
    <line class="c-err" x1=${x} x2=${x} y1="0" y2="12"/></svg>`;
}

function detectableChange({ answer, whatIf }, input, field) {
  const change = whatIf.result?.changes.find(({ column }) => column === input.column);
  const sides = answer.side_differences?.find(({ measure }) => measure === field.name);
  return change?.detectable ?? sides?.detectable ?? field.measure.mdc;
}

function faultNote({ code, allowed, message }) {
  if (code !== "within_error") return text("page.what_if.not_counted", { message });
  return allowed
    ? text("page.what_if.within_error_allowed", { allowed })
    : text("page.what_if.within_error");
}

function outcome({ answer, whatIf }) {
  if (whatIf.problem) return html`<p>${whatIf.problem}</p>`;
  const { result } = whatIf;
  const { risk } = answer;
  const knees = [...kneesOf(risk), ...(risk.either && risk.right ? ["either"] : [])];
  return html`${knees
    .filter((knee) => risk[knee])
    .map((knee) => kneeOutcome(answer, knee, result?.[knee]))}
    <p class="small" role="status">${result ? result.wording : text("page.what_if.move")}</p>
    ${result?.also_changed?.length ? alsoChanged(result.also_changed) : nothing}`;
}

function kneeOutcome(answer, knee, change) {
  const measured = answer.risk[knee];
  const changed = change?.then ?? measured;
  const now = in100(measured.probability);
  const count = in100(changed.probability);
  const label = text("page.what_if.knee_label", { knee: kneeName(knee), now, count });
  const isMoved = change && Math.abs(change.points) >= 0.05;
  const isCalm = !isRaised(changed.band);
  const isMuted = isOpen(answer.risk, answer.risk[knee]);
  const bar = riskBar(changed, baseRate(answer.risk, knee), { isCalm, isOpen: isMuted, label });
  const key = { interval: interval(changed.interval), now };
  const line = change?.held ? text("page.what_if.line_held", key) : text("page.what_if.line", key);
  return html`<div class="live__knee"><span>${kneeName(knee)}</span>
    <strong class="num">${text("page.risk.in_100", { count })} ${
      isMoved ? html`<em>${points(change.points)}</em>` : nothing
    }</strong>
    ${bar}
    <span class="small quiet num">${line}</span></div>`;
}

function alsoChanged(changes) {
  const change = (item) =>
    text("page.what_if.changed", {
      measure: item.label,
      from: value(item.measured),
      to: value(item.computed) + unit(item.unit),
    });
  const list = changes.map(change).join("; ");
  return html`<p class="small quiet">${text("page.what_if.follows", { changes: list })}</p>`;
}
