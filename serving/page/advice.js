// What to do, what to measure next, how the sides differ, and what the answer used.
import { html, nothing } from "./vendor/lit-html.js";
import { equipment } from "./form.js";
import { EQUIPMENT, GRADE, SIDE, fixed, in100, list, points, unit, value, withUnit } from "./words.js";

export function nextTests(answer, draft, act, texts) {
  const tests = answer.next_tests, either = answer.risk.either;
  const width = either ? either.interval[1] - either.interval[0] : null;
  const label = (code) => texts.imbalances.find((one) => one.name === code)?.label ?? code;
  const missing = answer.inputs.filter((one) => one.status === "missing").length;
  if (!tests.length && !missing) return nothing;
  return html`<section class="card next" id="a-next" aria-labelledby="h-next">
    <div class="card__head"><h2 id="h-next">Next best test</h2></div>
    ${equipment(draft, act)}
    ${tests.length ? html`<ol>${tests.slice(0, 4).map((test, i) => html`<li><span class="n" aria-hidden="true">${i + 1}</span><div><h3>${test.label}</h3>
      <p class="num">${gain(test, width)}${test.settles?.length ? ` Bears on: ${list(test.settles.map(label)).toLowerCase()}.` : ""}</p>
      <dl class="num"><div><dt>Time</dt><dd>${fixed(test.minutes, 0)} min</dd></div><div><dt>Needs</dt><dd>${EQUIPMENT[test.equipment] ?? test.equipment}</dd></div></dl></div></li>`)}</ol>`
      : html`<p class="quiet">${draft.equipment ? "No test with what is at hand would add much." : "No further test is proposed."}</p>`}
  </section>`;
}

function gain(test, width) {
  const [now, then] = [width, test.expected_interval_width].map((x) => Math.round(100 * x));
  const share = in100(test.uncertainty_removed);
  return `About ${share.replace("<", "less than ")} % of what tests can still settle about the risk.${width && test.expected_interval_width && then < now ? ` Interval of either knee: ${now} points wide now, ${then} expected.` : ""}`;
}

export function differences(answer) {
  const rows = answer.side_differences ?? [];
  if (!rows.length) return nothing;
  const beyond = rows.filter((row) => row.beyond_error), chance = beyond.filter((row) => !row.beyond_chance);
  const told = beyond.length
    ? `${beyond.length} of ${rows.length} measures differ between the legs by more than measurement error.${chance.length ? ` Among so many, ${chance.length === 1 ? "one of them" : `${chance.length} of them`} could be chance.` : ""}`
    : `None of ${rows.length} measures differs between the legs by more than measurement error.`;
  return html`<section class="card" id="a-sides" aria-labelledby="h-sides">
    <div class="card__head"><h2 id="h-sides">Right against left</h2></div><p class="quiet">${told}</p>
    <table class="used num"><caption class="vh">Differences between the legs</caption>
      <thead><tr><th scope="col">Measure</th><th scope="col">Right</th><th scope="col">Left</th><th scope="col">Differ by</th><th scope="col">Reading</th></tr></thead>
      <tbody>${[...rows].sort((a, b) => ratio(b) - ratio(a)).map((row) => html`<tr><th scope="row">${row.label}</th>
        <td data-l="Right">${withUnit(row.right, row.unit)}</td><td data-l="Left">${withUnit(row.left, row.unit)}</td><td data-l="Differ by">${value(Math.abs(row.difference))}${unit(row.unit) === "°" ? "°" : ""}</td>
        <td>${row.beyond_error ? html`<b>Beyond error</b>` : "Within error"}<small>counts from ${value(row.detectable)}${row.beyond_error && !row.beyond_chance ? "; may be chance" : ""}</small></td></tr>`)}</tbody></table>
  </section>`;
}

const ratio = (row) => (row.detectable ? Math.abs(row.difference) / row.detectable : 0);

export function advice(answer) {
  const tips = answer.advice ?? [];
  if (!tips.length) return nothing;
  const stops = [...new Set(tips.map((tip) => tip.stop_rule))];
  return html`<section class="section" id="a-advice" aria-labelledby="h-tips">
    <h2 id="h-tips">What to do</h2>
    <p>Each with how well it is supported. High and moderate: good studies. Low: small or cross-sectional studies, or expert habit.</p>
    <div class="tips">
      ${tips.map((tip) => card(tip, stops.indexOf(tip.stop_rule)))}
      ${stops.map((rule, i) => html`<section class="card tip tip--stop" aria-label="When to stop"><header><svg width="22" height="22" aria-hidden="true"><use href="#i-flag"></use></svg><h3>Stop rule${stops.length > 1 ? ` ${i + 1}` : ""}</h3></header><p>${rule}</p></section>`)}
    </div>
  </section>`;
}

function card(tip, stop) {
  const grade = GRADE[tip.grade]?.[0] ?? tip.grade;
  const sides = tip.sides.length ? ` (${list([...tip.sides].sort().reverse().map((s) => SIDE[s].toLowerCase()))})` : "";
  return html`<article class="card tip"><header><span class=${`grade grade--${tip.grade}`}>${grade} evidence</span></header>
    <p class="tip__text">${tip.text}</p>
    ${tip.dose ? html`<p><b>How much:</b> ${tip.dose}</p>` : nothing}
    <p class="quiet">${tip.reason}${tip.reason.includes("leg") ? "" : sides}</p>
    <p class="src">${stop > 0 ? `Stop rule ${stop + 1}. ` : ""}Sources: ${tip.sources.join("; ")}</p></article>`;
}

export function used(answer, labels) {
  const inputs = answer.inputs, of = (status) => inputs.filter((one) => one.status === status);
  const rows = inputs.filter((one) => one.value !== undefined && one.status !== "missing");
  const effect = (one) => one.effect?.right ?? one.effect?.left ?? one.effect?.either;
  const either = answer.risk.either && !answer.risk.left && !answer.risk.right;
  const knees = either ? ["either"] : ["right", "left"];
  const missing = of("missing");
  return html`<section class="card" id="a-used" aria-labelledby="h-used"><details class="rest"><summary><h2 id="h-used">What the answer used</h2><span class="quiet small num">${of("used").length} used, ${missing.length} missing, ${of("out_of_range").length} outside the range seen</span></summary>
    <div class="scroll" tabindex="0" role="region" aria-label="Values used, may scroll sideways"><table class="used num"><caption class="vh">Every value, and what it did to the risk</caption>
      <thead><tr><th scope="col">Measure</th><th scope="col">Value</th><th scope="col">Typical</th>${knees.map((knee) => html`<th scope="col">${SIDE[knee]}, points</th>`)}</tr></thead>
      <tbody>${rows.map((one) => html`<tr><th scope="row">${labels[one.column] ?? one.column}${one.status === "used" ? nothing : html`<small>${STATUS[one.status] ?? one.status}</small>`}</th><td>${withUnit(one.value, one.unit)}</td>
        <td>${one.typical ? `${value(one.typical.mean)} ± ${value(one.typical.sd)}` : "–"}</td>${knees.map((knee) => html`<td>${one.effect?.[knee] === undefined || effect(one) === undefined ? "–" : points(one.effect[knee])}</td>`)}</tr>`)}</tbody></table></div>
    ${missing.length ? html`<p class="small quiet"><b>Missing:</b> ${[...new Set(missing.map((one) => (labels[one.column] ?? one.column).replace(/, (right|left)$/, "")))].join("; ")}. Nothing was filled in for them; the interval is wider instead.</p>` : nothing}
  </details></section>`;
}

const STATUS = {
  out_of_range: "outside the range seen", recorded_only: "kept, moves nothing", unknown_to_model: "not known to this model",
};
