// What if a measure were another: sliders for what can change, within what the model has seen.
import { html, svg, nothing } from "./vendor/lit-html.js";
import { Problem, pathOf, post } from "./ask.js";
import { riskBar } from "./charts.js";
import { baseOf, knees } from "./knees.js";
import { SIDE, in100, interval, points, raised, unit, value, withUnit } from "./words.js";

const MOST = 4;

/** Columns that can be moved: measured, modifiable, numeric and inside what the model has seen. */
function candidates({ answer, fieldOf }) {
  const size = (column) => Math.max(0, ...answer.drivers
    .filter((d) => column === d.measure || column === `${d.side}_${d.measure}`).map((d) => Math.abs(d.points)));
  return answer.inputs
    .filter((one) => one.status === "used" && typeof one.value === "number" && one.range_seen && fieldOf[one.column]?.about.modifiable)
    .sort((a, b) => size(b.column) - size(a.column));
}

/** The range and step of a slider, with the measured value on its grid. */
function scale(input, field) {
  const { about } = field, usual = input.typical;
  let low = Math.max(about.minimum, input.range_seen[0]), high = Math.min(about.maximum, input.range_seen[1]);
  if (usual) {
    low = Math.max(low, Math.min(input.value, usual.mean - 2.5 * usual.sd));
    high = Math.min(high, Math.max(input.value, usual.mean + 2.5 * usual.sd));
  }
  const raw = (high - low) / 100, ten = 10 ** Math.floor(Math.log10(raw || 1));
  const step = field.kind === "integer" ? 1 : ([1, 2, 5].find((n) => n * ten >= raw) ?? 10) * ten;
  const least = input.value - Math.floor((input.value - low) / step + 1e-9) * step;
  const most = input.value + Math.floor((high - input.value) / step + 1e-9) * step;
  return { least, most, step };
}

const tidy = (x) => Number(x.toPrecision(10));

export function whatIf(state, act) {
  const { answer } = state;
  if (!knees(answer.risk).some((knee) => answer.risk[knee])) return nothing;
  const all = candidates(state);
  if (!all.length) return nothing;
  const chosen = chosenOf(state, all), rest = all.filter((one) => !chosen.includes(one));
  return html`<section class="section" id="a-whatif" aria-labelledby="h-wi"><h2 id="h-wi">What if</h2>
    <p>Move what can change and see the risk of athletes who measure so. Sliders stay within what the model has seen; the grey part is within measurement error and is not counted.</p>
    <div class="card wi"><div class="wi__in">
      ${chosen.map((input) => slider(state, input, act))}
      <div class="acts">${rest.length && chosen.length < 8 ? html`<div class="fact wi__add"><label class="vh" for="wi-add">Add a measure</label><select id="wi-add" @change=${(e) => { act.whatIf("add", e.target.value); e.target.value = ""; }}>
        <option value="">Add a measure</option>${rest.map((one) => html`<option value=${one.column}>${state.labels[one.column]}</option>`)}</select></div>` : nothing}
      <button class="btn" type="button" @click=${() => act.whatIf("reset")}>Back to measured</button></div></div>
      <div class="wi__out">${outcomeOf(state)}</div>
    </div></section>`;
}

function chosenOf({ whatIf: now }, all) {
  const added = all.filter((one) => now.added.includes(one.column));
  const first = all.filter((one) => !added.includes(one)).slice(0, Math.max(0, MOST - added.length));
  const moved = all.filter((one) => one.column in now.targets && !added.includes(one) && !first.includes(one));
  return [...first, ...moved, ...added];
}

function slider(state, input, act) {
  const field = state.fieldOf[input.column], { least, most, step } = scale(input, field);
  const target = state.whatIf.targets[input.column] ?? input.value, key = `w-${input.column}`;
  const note = state.whatIf.notes[input.column], off = detectable(state, input, field);
  const at = (x) => `${Math.min(100, Math.max(0, (100 * (x - least)) / (most - least || 1)))}%`;
  const told = withUnit(target, input.unit);
  return html`<div class="wi__one"><label for=${key}>${state.labels[input.column]}<output for=${key} class="num">${told}</output></label>
    <input id=${key} type="range" min=${tidy(least)} max=${tidy(most)} step=${tidy(step)} .value=${String(target)} aria-valuetext=${`${told}${note ? `, ${note}` : ""}`}
      aria-describedby=${`${key}-n`} @input=${(e) => act.whatIf("move", input.column, Number(e.target.value), input.value)}>
    <svg class="wi__scale" aria-hidden="true">${off ? svg`<rect class="c-norm" x=${at(input.value - off)} width=${`${parseFloat(at(input.value + off)) - parseFloat(at(input.value - off))}%`} y="3" height="6" rx="3"/>` : nothing}<line class="c-err" x1=${at(input.value)} x2=${at(input.value)} y1="0" y2="12"/></svg>
    <p class="small num" id=${`${key}-n`}><span>${value(least)}</span><span class=${note ? "wi__note" : ""}>${note ?? `measured ${withUnit(input.value, input.unit)}`}</span><span>${value(most)}</span></p></div>`;
}

function detectable({ answer, whatIf: now }, input, field) {
  const told = now.result?.changes.find((one) => one.column === input.column)?.detectable;
  const sides = answer.side_differences?.find((one) => one.measure === field.name)?.detectable;
  return told ?? sides ?? field.about.mdc;
}

function outcomeOf({ answer, whatIf: now }) {
  const moved = now.result;
  if (now.problem) return html`<p>${now.problem}</p>`;
  return html`${knees(answer.risk).concat(answer.risk.either && answer.risk.right ? ["either"] : []).filter((knee) => answer.risk[knee]).map((knee) => {
      const one = moved?.[knee], then = one?.then ?? answer.risk[knee];
      const label = `${SIDE[knee]} knee: measured ${in100(answer.risk[knee].probability)}, as changed ${in100(then.probability)} in 100`;
      return html`<div class="live__knee"><span>${SIDE[knee]} knee</span><strong class="num">${in100(then.probability)} in 100 ${one && Math.abs(one.points) >= 0.05 ? html`<em>${points(one.points)}</em>` : nothing}</strong>
        ${riskBar(then, baseOf(answer.risk, knee), { calm: !raised(then.band), label })}
        <span class="small quiet num">90 % interval ${interval(then.interval)}. Measured: ${in100(answer.risk[knee].probability)}${one?.held ? ". Held" : ""}</span></div>`;
    })}
    <p class="small" role="status">${moved ? moved.wording : "Move a slider. Age, sex and history stay as they are."}</p>
    ${moved?.also_changed?.length ? html`<p class="small quiet">Follows: ${moved.also_changed.map((one) => `${one.label} ${value(one.measured)} to ${value(one.computed)}${unit(one.unit)}`).join("; ")}.</p>` : nothing}`;
}

/** Ask for the moved measures; those within error or out of range are told and left out. */
export async function askWhatIf(body, targets, signal) {
  const changes = { ...targets }, notes = {};
  while (Object.keys(changes).length) {
    try {
      return { result: await post("v1/what_if", { screening: body, changes }, signal), notes };
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 422) throw error;
      const own = error.faults.filter((fault) => fault.pointer.startsWith("/changes/") && pathOf(fault.pointer, "/changes") in changes);
      if (!own.length) throw error;
      for (const fault of own) {
        const column = pathOf(fault.pointer, "/changes");
        notes[column] = fault.code === "within_error" ? `within error, not counted${fault.allowed ? ` (${fault.allowed} would be)` : ""}` : `not counted: ${fault.message}`;
        delete changes[column];
      }
    }
  }
  return { result: null, notes };
}
