// The page for the file: everything that was measured, said and answered, on one sheet of A4.
import { html, nothing } from "./vendor/lit-html.js";
import { about } from "./answer.js";
import { hurts } from "./knees.js";
import { BAND, GRADE, PATTERN, SIDE, SIDES, STATUS, choice, fixed, in100, interval, outcome, points, unit, value } from "./words.js";

/** A record of a screening and its answer, to be printed or saved as PDF. */
export function record(state) {
  const { answer, draft } = state;
  return html`<article class="a4 num" aria-labelledby="h-record">
    <header><div><h2 id="h-record">Screening record${draft.name.trim() ? `: ${draft.name.trim()}` : ""}</h2><p>${about(draft)}</p></div>
      <p>${answer.model.cohort === "simulated" ? "Model trained on simulated athletes, not validated on people" : `Model trained on ${answer.model.cohort} athletes`}</p></header>
    ${flags(answer)}
    ${answer.risk.status === "refer" ? nothing : risks(answer)}
    ${facts(state)}
    ${measures(state)}
    ${answer.imbalances?.length ? patterns(answer) : nothing}
    ${advised(answer)}
    <footer><p>${answer.notice}</p><p>Model ${answer.model.version}, run ${answer.model.run_id}${answer.model.git_sha ? `, code ${answer.model.git_sha.slice(0, 10)}` : ""}, cohort ${answer.model.cohort}, schema ${answer.model.schema}.</p></footer>
  </article>`;
}

const PAGE_MM = 297, PX_PER_MM = 96 / 25.4;

/** Set the page closer, step by step, until it is one. */
export function fitRecord() {
  const sheet = document.querySelector(".a4"), steps = ["a4--dense", "a4--packed"];
  sheet?.classList.remove(...steps);
  for (const step of steps) {
    if (sheet && sheet.scrollHeight > PAGE_MM * PX_PER_MM) sheet.classList.add(step);
  }
}

const ASKED = { not_asked: "Red flags were not asked.", cleared: "Red flags: all asked, none applies." };

function flags(answer) {
  if (!answer.red_flags.length) return html`<p><b>${ASKED[answer.red_flags_status]}</b></p>`;
  return html`<p class="a4__flag"><b>Red flags, to be seen ${answer.red_flags[0].when}:</b> ${answer.red_flags.map((flag) => flag.reason).join("; ")}.${answer.risk.status === "refer" ? " No score is given." : ""}</p>`;
}

function risks(answer) {
  const { risk } = answer, { title, when } = outcome(risk), knees = [...SIDES, "either"].filter((knee) => risk[knee] || hurts(answer, knee));
  const state = STATUS[risk.status];
  return html`<table><caption>${title}${when}, in 100${state ? `. ${state}` : ""}</caption>
    <thead><tr><th scope="col">Knee</th><th scope="col">Risk</th><th scope="col">90 % interval</th><th scope="col">The sport in general</th><th scope="col">Against it</th></tr></thead>
    <tbody>${knees.map((knee) => {
      const one = risk[knee], base = knee === "either" ? risk.base_rate.either : risk.base_rate.leg;
      return one ? html`<tr><th scope="row">${SIDE[knee]}</th><td><b>${in100(one.probability)}</b></td><td>${interval(one.interval)}</td><td>${base == null ? "" : in100(base)}</td><td>${BAND[one.band]}</td></tr>`
        : html`<tr><th scope="row">${SIDE[knee]}</th><td colspan="4">Hurts now: no risk of new pain</td></tr>`;
    })}</tbody></table>`;
}

const shown = (x, name) => {
  const text = typeof x === "number" ? value(x) : choice(x), told = typeof x === "number" ? unit(name) : "";
  return told === "°" ? `${text}°` : told ? `${text} ${told}` : text;
};

// What is not of one leg: the athlete, the log, how tests were done.
function facts({ answer, fields, body }) {
  const beyond = new Set(answer.inputs.filter((one) => one.status === "out_of_range").map((one) => one.column));
  const found = fields.filter((field) => !field.side).map((field) => [field, body[field.section]?.[field.name]]).filter(([, x]) => x !== undefined);
  return html`<dl class="a4__facts">${found.map(([field, x]) => html`<div><dt>${field.about.title}</dt><dd>${shown(x, field.about.unit)}${beyond.has(field.column) ? " *" : ""}</dd></div>`)}</dl>`;
}

function measures({ answer, stations, body }) {
  const at = (field) => field.section.split(".").reduce((part, key) => part?.[key], body)?.[field.name];
  const input = (field) => answer.inputs.find((one) => one.column === field.column);
  const rows = stations.flatMap((station) => station.rows).filter((row) => row.fields.length === 2 && row.fields.some((field) => at(field) !== undefined));
  if (!rows.length) return nothing;
  const scored = answer.risk.status !== "refer";
  return html`<table><caption>Measured${scored ? ", and what it did to the risk in points of 100" : ""}</caption>
    <thead><tr><th scope="col">Measure</th><th scope="col">Right</th><th scope="col">Left</th><th scope="col">Typical</th><th scope="col">One reading</th>${scored ? html`<th scope="col">Points right</th><th scope="col">Points left</th>` : nothing}</tr></thead>
    <tbody>${rows.map((row) => {
      const inputs = row.fields.map(input), usual = inputs.find((one) => one?.typical)?.typical, error = inputs.find((one) => one?.error)?.error;
      const effect = (i) => (inputs[i]?.effect?.[row.fields[i].side] === undefined ? "" : points(inputs[i].effect[row.fields[i].side]));
      return html`<tr><th scope="row">${row.title}${unit(row.about.unit) && unit(row.about.unit) !== "°" ? `, ${unit(row.about.unit)}` : ""}</th>
        ${row.fields.map((field, i) => html`<td>${at(field) === undefined ? "–" : typeof at(field) === "number" ? `${value(at(field))}${unit(row.about.unit) === "°" ? "°" : ""}` : choice(at(field))}${inputs[i]?.status === "out_of_range" ? " *" : ""}</td>`)}
        <td>${usual ? `${value(usual.mean)} ± ${value(usual.sd)}` : ""}</td><td>${error ? `± ${value(error)}` : ""}</td>${scored ? html`<td>${effect(0)}</td><td>${effect(1)}</td>` : nothing}</tr>`;
    })}</tbody></table>${answer.inputs.some((one) => one.status === "out_of_range") ? html`<p>* outside what the model has seen</p>` : nothing}`;
}

function patterns({ imbalances }) {
  const names = [...new Set(imbalances.map((one) => one.name))];
  return html`<table><caption>Muscle patterns: chance in 100 and 90 % interval</caption>
    <thead><tr><th scope="col">Pattern</th><th scope="col">Right</th><th scope="col">Left</th></tr></thead>
    <tbody>${names.map((name) => {
      const of = SIDES.map((side) => imbalances.find((one) => one.side === side && one.name === name));
      return html`<tr><th scope="row">${of.find(Boolean).label}</th>${of.map((one) => html`<td>${one ? html`${PATTERN[one.status]}, ${in100(one.probability)} <span>(${interval(one.interval)})</span>` : ""}</td>`)}</tr>`;
    })}</tbody></table>`;
}

function advised({ advice, next_tests: tests }) {
  const next = tests.slice(0, 3).map((test) => `${test.label} (${fixed(test.minutes, 0)} min)`).join("; ");
  return html`${advice?.length ? html`<h3>Advised, with the grade of the evidence</h3><ul>${advice.map((one) => html`<li>${one.sides.length === 1 ? `${SIDE[one.sides[0]]} leg: ` : ""}${one.text}${one.dose ? ` ${one.dose[0].toUpperCase()}${one.dose.slice(1)}.` : ""} <span>(${GRADE[one.grade][0].toLowerCase()})</span></li>`)}</ul>` : nothing}
    ${next ? html`<p><b>Measure next:</b> ${next}.</p>` : nothing}`;
}
