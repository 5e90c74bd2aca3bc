// The page for the file: everything that was measured, asked and answered, on one sheet of A4.
import * as format from "../lib/number_format.js";
import { getAt } from "../lib/screening_body.js";
import { text, variant } from "../lib/texts.js";
import * as wording from "../lib/wording.js";
import { html, nothing } from "../vendor/lit-html.js";
import { athleteLine } from "./answer_view.js";
import { hurtsNow, inPercent, learnt } from "./knee_cards.js";
import { worthwhile } from "./next_tests.js";

/** A record of a screening and its answer, to be printed or saved as PDF. */
export function recordPage(state) {
  const { answer, draft } = state;
  const name = draft.name.trim();
  const heading = text("page.record.heading");
  const title = name ? text("page.titled", { title: heading, name }) : heading;
  return html`<article class="a4 num" aria-labelledby="h-record">
    <header><div><h2 id="h-record">${title}</h2><p>${athleteLine(draft)}</p></div>
      <p>${variant("page.answer.cohort_tag", answer.model.cohort)}</p></header>
    <p><b>${answer.summary[0]}</b> ${answer.summary[1]}</p>
    ${redFlagLine(answer)} ${answer.risk.status === "refer" ? nothing : scored(answer)}
    ${answer.imbalances?.length ? patternTable(answer) : nothing} ${factList(state)}
    ${measureTable(state)} ${comingWeekLine(answer)} ${adviceList(answer)}
    <footer><p>${answer.notice}</p><p>${lineage(answer.model)}</p></footer>
  </article>`;
}

const scored = (answer) =>
  html`${riskTable(answer)} ${learntLine(answer)} ${planList(answer)} ${nextTestLine(answer)}`;

const PAGE_MM = 297;
const PX_PER_MM = 96 / 25.4;

/** Set the page closer, step by step, until it is one. */
export function fitRecord() {
  const sheet = document.querySelector(".a4");
  const steps = ["a4--dense", "a4--packed"];
  sheet?.classList.remove(...steps);
  for (const step of steps) {
    if (sheet && sheet.scrollHeight > PAGE_MM * PX_PER_MM) sheet.classList.add(step);
  }
}

function redFlagLine(answer) {
  const flags = answer.red_flags;
  if (!flags.length) {
    const sentence =
      answer.red_flags_status === "cleared"
        ? text("shared.red_flags.cleared")
        : text("page.red_flags.title.not_asked");
    return html`<p><b>${sentence}</b></p>`;
  }
  const reasons = flags.map((flag) => flag.reason).join("; ");
  const noScore = answer.risk.status === "refer" ? ` ${text("page.record.no_score")}` : "";
  return html`<p class="a4__flag"><b>${text("page.record.red_flags", {
    when: flags[0].when,
  })}</b> ${reasons}.${noScore}</p>`;
}

const header = (names) =>
  html`<thead><tr>${names.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>`;

function riskTable(answer) {
  const { risk } = answer;
  const why = wording.whyNoNumber(risk);
  if (why) return html`<p><b>${variant("page.no_risk.headline", why.code)}.</b></p>`;
  const knees = [...wording.SIDES, "either"].filter((knee) => risk[knee] || hurtsNow(answer, knee));
  const status = wording.statusSentence(risk.status);
  const columns = ["knee", "risk", "interval", "base", "band"];
  const caption = text("page.record.risk_caption", {
    outcome: wording.outcomeTitle(risk),
    suggests: wording.suggests(answer),
  });
  return html`<table>
    <caption>${caption}${status ? `. ${status}` : ""}</caption>
    ${header(columns.map((name) => variant("page.record.column", name)))}
    <tbody>${knees.map((knee) => riskRow(risk, knee))}</tbody></table>`;
}

function riskRow(risk, knee) {
  const own = risk[knee];
  const base = knee === "either" ? risk.base_rate.either : risk.base_rate.leg;
  const name = html`<th scope="row">${wording.sideName(knee)}</th>`;
  if (!own) return html`<tr>${name}<td colspan="4">${text("page.record.hurts")}</td></tr>`;
  const usual = base === undefined || base === null ? "" : format.in100(base);
  return html`<tr>${name}<td><b>${format.in100(own.probability)}</b></td>
    <td>${format.interval(own.interval)}</td><td>${usual}</td>
    <td>${wording.isOpen(risk, own) ? text("page.risk.with_care") : wording.band(own.band)}</td></tr>`;
}

function learntLine(answer) {
  const share = learnt(answer);
  if (share === undefined) return nothing;
  return html`<p><b>${text("page.learnt.heading")}:</b>
    ${text("page.risk.share", { share: inPercent(share) })} ${text("page.learnt.of")}.</p>`;
}

function planList({ plan }) {
  if (!plan) return nothing;
  const item = ({ title, sides, dose, why, sources }) =>
    html`<li>${sides.length === 1 ? `${wording.legName(sides[0])}: ` : ""}<b>${title}.</b>
      ${dose ? `${format.capitalized(dose)}.` : text("shared.advice.no_dose")}
      <span>${why} ${sourceNames(sources)}</span></li>`;
  return html`<h3>${text("page.plan.heading.all")}</h3><ul>${plan.items.map(item)}</ul>
    <p>${plan.test_again.text} ${plan.see} ${plan.stop}</p>`;
}

function comingWeekLine({ coming_week: week }) {
  if (!week) return nothing;
  return html`<p><b>${text("page.coming_week.heading")}:</b> ${week.message}
    ${text("page.advice.sources")} ${sourceNames(week.sources)}.</p>`;
}

// On paper a link is no use.
const sourceNames = (sources) => sources.map(({ short }) => short).join("; ");

const isOutside = (input) => input?.status === "out_of_range";

// What is not of one leg: the athlete, the log, how tests were done.
function factList({ answer, fields, body }) {
  const outside = new Set(answer.inputs.filter(isOutside).map(({ column }) => column));
  const facts = fields
    .filter((field) => !field.side)
    .map((field) => [field, body[field.section]?.[field.name]])
    .filter(([, content]) => content !== undefined);
  const item = ([{ measure, column }, content]) =>
    html`<div><dt>${measure.title}</dt><dd>${format.withUnit(content, measure.unit)}${
      outside.has(column) ? " *" : ""
    }</dd></div>`;
  return html`<dl class="a4__facts">${facts.map(item)}</dl>`;
}

function measureTable({ answer, stations, body }) {
  const isMeasured = (field) => getAt(body, field.path) !== undefined;
  const rows = stations
    .flatMap((station) => station.rows)
    .filter((row) => row.fields.length === 2 && row.fields.some(isMeasured));
  if (!rows.length) return nothing;
  const isScored = answer.risk.status !== "refer" && !wording.whyNoNumber(answer.risk);
  const columns = ["measure", "right", "left", "typical", "one_reading"];
  if (isScored) columns.push("points_right", "points_left");
  const caption = isScored
    ? text("page.record.measures_caption")
    : text("page.record.measures_only_caption");
  const note = html`<p>${text("page.record.outside_note")}</p>`;
  return html`<table><caption>${caption}</caption>
    ${header(columns.map((name) => variant("page.record.column", name)))}
    <tbody>${rows.map((row) => measureRow(row, answer, body, isScored))}</tbody></table>${
      answer.inputs.some(isOutside) ? note : nothing
    }`;
}

function measureRow(row, answer, body, isScored) {
  const { unit } = row.measure;
  const inputs = row.fields.map(({ column }) =>
    answer.inputs.find((input) => input.column === column),
  );
  const norm = inputs.find((input) => input?.typical)?.typical;
  const error = inputs.find((input) => input?.error)?.error;
  const sign = format.unit(unit);
  const title = sign && sign !== "°" ? `${row.title}, ${sign}` : row.title;
  const typical = norm
    ? text("page.mean_and_sd", { mean: format.value(norm.mean), sd: format.value(norm.sd) })
    : "";
  const effect = (field, i) => {
    const points = inputs[i]?.effect?.[field.side];
    return html`<td>${points === undefined ? "" : format.points(points)}</td>`;
  };
  const reading = (field, i) =>
    html`<td>${readingOf(getAt(body, field.path), unit)}${isOutside(inputs[i]) ? " *" : ""}</td>`;
  return html`<tr><th scope="row">${title}</th>${row.fields.map(reading)}<td>${typical}</td>
    <td>${error ? `± ${format.value(error)}` : ""}</td>${
      isScored ? row.fields.map(effect) : nothing
    }</tr>`;
}

function readingOf(content, unit) {
  if (content === undefined) return "–";
  if (typeof content !== "number") return format.choice(content);
  return format.value(content) + format.degreeSign(unit);
}

function patternTable({ imbalances }) {
  const names = [...new Set(imbalances.map(({ name }) => name))];
  const columns = ["pattern", "right", "left"];
  const isRepeated = imbalances.some((imbalance) => imbalance.named_again !== undefined);
  const note = html`<p>${text("page.record.patterns_note")}</p>`;
  return html`<table><caption>${text("page.record.patterns_caption")}</caption>
    ${header(columns.map((name) => variant("page.record.column", name)))}
    <tbody>${names.map((name) =>
      patternRow(imbalances.filter((imbalance) => imbalance.name === name)),
    )}</tbody></table>${isRepeated ? note : nothing}`;
}

function patternRow(imbalances) {
  const ofSide = (side) => imbalances.find((imbalance) => imbalance.side === side);
  const repeats = (p) =>
    p === undefined ? "" : text("page.record.again", { count: format.inTen(p) });
  const chance = ({ status, probability, named_again: again }) =>
    html`${wording.pattern(status)}, ${format.in100(probability)} <span>${repeats(again)}</span>`;
  const cell = (imbalance) => html`<td>${imbalance ? chance(imbalance) : ""}</td>`;
  return html`<tr><th scope="row">${imbalances[0].label}</th>${wording.SIDES.map((side) =>
    cell(ofSide(side)),
  )}</tr>`;
}

function adviceList({ advice: all, plan }) {
  const planned = plan?.items.map(({ code }) => code) ?? [];
  const advice = (all ?? []).filter(({ code }) => !planned.includes(code));
  if (!advice.length) return nothing;
  return html`<h3>${text("page.record.advice")}</h3><ul>${advice.map(adviceItem)}</ul>`;
}

function adviceItem({ sides, text: sentence, dose, grade, sources }) {
  const leg = sides.length === 1 ? `${wording.legName(sides[0])}: ` : "";
  const amount = dose ? ` ${format.capitalized(dose)}.` : "";
  return html`<li>${leg}${sentence}${amount}
    <span>(${wording.grade(grade).toLowerCase()}; ${sourceNames(sources)})</span></li>`;
}

const MAX_TESTS = 3;

function nextTestLine(answer) {
  if (!answer.next_tests.length) return nothing;
  const tests = worthwhile(answer);
  if (!tests.length) return html`<p>${text("page.next_test.none")}.</p>`;
  const name = (test) =>
    text("page.record.test", { test: test.label, minutes: format.fixed(test.minutes, 0) });
  const names = tests.slice(0, MAX_TESTS).map(name).join("; ");
  return html`<p><b>${text("page.record.measure_next")}</b> ${names}.</p>`;
}

function lineage({ version, run_id: run, git_sha: sha, cohort, schema }) {
  const values = { version, run, cohort, schema };
  return sha
    ? text("page.record.lineage_with_code", { ...values, code: sha.slice(0, 10) })
    : text("page.record.lineage", values);
}
