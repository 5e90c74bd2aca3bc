// The squad: what is shown of it, in which order, and one row for each athlete.
import { html, nothing } from "../vendor/lit-html.js";
import { axis, riskBar } from "../charts.js";
import { baseOf } from "../knees.js";
import { EQUIPMENT, PATTERN, SIDE, choice, fixed, in100, interval, list, outcome, raised } from "../words.js";
import { AT_HAND } from "./athletes.js";
import { ORDERS, group, priority, shown, sportOf, today } from "./priority.js";
import { GROUP, OUTSIDE, many, statusWords } from "./words.js";

const AT_HAND_WORDS = { club: "Tape, phone, dynamometer", tape: "Tape and phone only", all: "Everything, lab too" };

export function squad(state, act) {
  const { team } = state, rows = shown(team), first = today(team);
  const scored = team.athletes.find((one) => one.told), { title, when } = outcome({ outcome_kind: scored?.told.kind, horizon_months: scored?.told.horizon });
  return html`<section class="card squadcard" aria-labelledby="h-squad">
    <div class="card__head"><h2 id="h-squad">Squad</h2>${scored ? html`<p>${title}${when}, in 100, with the 90 % interval. Scale 0 to 40; dashed line: the sport in general, per knee</p>` : nothing}</div>
    ${progress(team, act)}
    ${controls(team, act)}
    ${unasked(team)}
    ${rows.length ? table(rows, first, team, act) : html`<p class="quiet">Nobody is left with these filters.</p>`}
    ${about(team, rows)}
    <div class="acts"><button class="btn" type="button" ?disabled=${team.busy} @click=${act.saveSquad}>Export CSV</button>
      <button class="btn" type="button" @click=${act.print}>Print the list</button>
      ${team.looking ? nothing : html`<button class="btn" type="button" @click=${() => act.toggle("looking")}>${team.sheet ? "Look at the sheet again" : "Another sheet"}</button>`}</div>
    ${team.kept ? nothing : html`<p class="small quiet">This browser has no room for the squad: it is gone after a reload.</p>`}
  </section>`;
}

function progress(team, act) {
  const due = team.athletes.filter((one) => one.due).length, all = team.athletes.length;
  if (team.busy && due) {
    return html`<div class="going"><label for="t-going">Scoring, ${all - due} of ${all}</label><progress id="t-going" max=${all} value=${all - due}></progress><button class="btn" type="button" @click=${act.stop}>Stop</button></div>`;
  }
  return due ? html`<div class="going"><p>${many(due, "athlete")} not scored yet.</p><button class="btn" type="button" @click=${act.goOn}>Go on</button></div>` : nothing;
}

// -- what is shown ---------------------------------------------------------------------------

function controls(team, act) {
  const sports = [...new Set(team.athletes.map(sportOf))].sort();
  const states = Object.keys(GROUP).filter((key) => team.athletes.some((one) => group(one) === key && !one.due));
  const outside = team.athletes.some((one) => one.told?.status === "out_of_population");
  const count = (of) => team.athletes.filter(of).length;
  const order = `${team.by} ${team.falling ? "falling" : "rising"}`;
  return html`<div class="filters" role="group" aria-label="What is shown">
    <label class="see">I can see today<input type="number" inputmode="numeric" min="0" max="99" .value=${String(team.see)} @change=${(e) => { act.show("see", Math.min(Math.max(Math.round(Number(e.target.value)) || 0, 0), 99)); act.sort("priority", true); }}></label>
    <label class="orders">Order<select @change=${(e) => { const [by, how] = e.target.value.split(" "); act.sort(by, how === "falling"); }}>
      ${Object.entries(ORDERS).flatMap(([by, one]) => (by === team.by && one.falling !== team.falling ? [[by, !one.falling], [by, one.falling]] : [[by, one.falling]]).map(([, falling]) => {
        const code = `${by} ${falling ? "falling" : "rising"}`;
        return html`<option value=${code} ?selected=${code === order}>${one.title}${falling === one.falling ? "" : ", reversed"}</option>`;
      }))}</select></label>
    <label>Sport<select @change=${(e) => act.show("sport", e.target.value)}><option value="" ?selected=${!team.sport}>All</option>
      ${sports.filter(Boolean).map((sport) => html`<option value=${sport} ?selected=${team.sport === sport}>${choice(sport)}, ${count((one) => sportOf(one) === sport)}</option>`)}</select></label>
    <label>Status<select @change=${(e) => act.show("status", e.target.value)}><option value="" ?selected=${!team.status}>All ${team.athletes.length}</option>
      ${states.map((key) => html`<option value=${key} ?selected=${team.status === key}>${GROUP[key]}, ${count((one) => group(one) === key && !one.due)}</option>`)}
      ${outside ? html`<option value="outside" ?selected=${team.status === "outside"}>${OUTSIDE}</option>` : nothing}</select></label>
    <label>Tests at hand<select ?disabled=${team.busy} @change=${(e) => act.atHand(e.target.value)}>
      ${Object.keys(AT_HAND).map((key) => html`<option value=${key} ?selected=${team.atHand === key}>${AT_HAND_WORDS[key]}</option>`)}</select></label>
  </div>`;
}

function unasked(team) {
  const count = team.athletes.filter((one) => one.told && !one.told.asked).length;
  if (!count) return nothing;
  return html`<p class="asknote"><svg width="20" height="20" aria-hidden="true"><use href="#i-flag"></use></svg><span><b>Red flags were not asked${count === team.athletes.length ? "" : ` for ${count} of them`}.</b> Ask them before you act on a number: open the athlete, the questions come first.</span></p>`;
}

function about(team, rows) {
  const parts = Object.keys(GROUP).map((key) => [key, rows.filter((one) => group(one) === key && !one.due).length]).filter(([, n]) => n);
  return html`<p class="small quiet about"><b>What the priority is:</b> for each knee the risk times the share of it that comes from measures that can change and stand on the raising side, both knees together, in risk points of 100.
    It says where a visit has most to work on. It is not an order of who will get hurt, nor a promise that the points come off.
    Red flags always stand on top; then, by priority, knees that hurt now, the others, and at the end who has too little measured.
    ${rows.length} of ${team.athletes.length} shown: ${list(parts.map(([key, n]) => `${n} ${GROUP[key].toLowerCase()}`))}.</p>`;
}

// -- the table -------------------------------------------------------------------------------

function table(rows, first, team, act) {
  return html`<table class="squad num" role="table"><caption class="vh">Squad, sorted by ${ORDERS[team.by].title.toLowerCase()}. Press a name to open the athlete.</caption>
    <thead role="rowgroup"><tr role="row">${Object.entries(ORDERS).map(([by, { title, falling }]) => {
      const on = team.by === by;
      return html`<th role="columnheader" scope="col" class=${`h-${by}`} aria-sort=${on ? (team.falling ? "descending" : "ascending") : nothing}>
        <button type="button" @click=${() => act.sort(by, on ? !team.falling : falling)}>${title}<span class="arrow" aria-hidden="true">${on ? (team.falling ? "↓" : "↑") : ""}</span></button>${by === "right" || by === "left" ? axis() : nothing}</th>`;
    })}</tr></thead>
    <tbody role="rowgroup">${rows.map((one) => row(one, first.has(one.id), act))}</tbody></table>`;
}

function row(one, seen, act) {
  const of = group(one);
  const open = (event) => {
    event.preventDefault();
    act.athlete(one.id);
  };
  const kind = ["today", `of-${of}`].filter((name) => name !== "today" || seen).join(" ");
  const pressed = (event) => {
    if (!event.target.closest("a, button") && !String(getSelection())) act.athlete(one.id);
  };
  return html`<tr role="row" class=${kind} @click=${pressed}>
    <th role="rowheader" scope="row" class="who">${of === "refer" ? html`<svg width="18" height="18" aria-hidden="true"><use href="#i-flag"></use></svg>` : nothing}<a href="#answer" @click=${open}>${one.name}</a>${seen ? html` <span class="tag tag--today">Today</span>` : nothing}<small>${who(one)}</small></th>
    ${of === "refer" || of === "refused" ? whole(one, of) : html`${knee(one, "right")}${knee(one, "left")}${pattern(one)}${next(one)}${points(one)}`}
  </tr>`;
}

function who({ body }) {
  const { sport, age_years: age, sex } = body.athlete ?? {};
  return [sport && choice(sport).toLowerCase(), sex && sex !== "unspecified" && sex, age !== undefined && fixed(age, 0)].filter(Boolean).join(", ");
}

// Who is sent to a clinician, or could not be scored, has no numbers: one cell says why.
function whole(one, of) {
  const text = of === "refer" ? `${list(one.told.flags.map((flag) => flag.reason))}. Not scored.` : one.due ? "Waiting." : `${one.faults.join(". ")}.`;
  return html`<td role="cell" class="all" colspan="5"><span class=${of === "refer" ? "tag tag--flag" : "tag"}>${of === "refused" && one.due ? "Not scored yet" : statusWords(one)}</span><small>${text}</small></td>`;
}

function knee(one, side) {
  const { told } = one, risk = told.risks[side] ?? (told.hurts.includes(side) ? null : told.risks.either);
  const name = told.risks[side] || told.hurts.includes(side) ? SIDE[side] : SIDE.either;
  if (!risk) return html`<td role="cell" class="rk"><span class="lab">${SIDE[side]} knee</span><span class="tag">${told.hurts.includes(side) ? "Hurts now" : "No risk"}</span></td>`;
  const of = told.risks[side] ? side : "either";
  const open = told.status === "low_information";
  return html`<td role="cell" class="rk"><span class="lab">${name} knee</span><b>${in100(risk.probability)}</b> <small>${of === "either" ? "either, " : ""}${interval(risk.interval)}</small>
    ${riskBar(risk, baseOf({ base_rate: told.base }, of), { calm: !raised(risk.band), open })}</td>`;
}

function pattern({ told }) {
  const [best, ...more] = told.patterns;
  const tag = told.status === "low_information" ? GROUP.low_information : told.status === "out_of_population" ? OUTSIDE : null;
  const soon = told.flags.length ? html`<span class="tag tag--flag">Tell a clinician ${told.flags[0].when}</span>` : nothing;
  const small = best ? `${in100(best.probability)} in 100, ${PATTERN[best.status].toLowerCase()}${more.length ? `; ${more.length} more` : ""}`
    : told.open ? `${told.open} of ${told.judged} can’t be told yet` : told.judged ? "what was measured points to none" : "not judged";
  return html`<td role="cell" class="pat">${best ? `${SIDE[best.side]}: ${best.label}` : "None named"}<small>${small}</small>${tag ? html`<span class="tag">${tag}</span>` : nothing}${soon}</td>`;
}

function next({ told }) {
  const test = told.next;
  return html`<td role="cell" class="nx"><span class="lab">Next: </span>${test ? html`${test.label}<small>${test.minutes} min, ${test.equipment === "none" ? "no device" : (EQUIPMENT[test.equipment] ?? test.equipment)}</small>` : html`None worth the time`}</td>`;
}

function points(one) {
  const sum = priority(one);
  if (sum === null) return html`<td role="cell" class="pr"><span class="lab">Priority </span>–</td>`;
  return html`<td role="cell" class="pr"><span class="lab">Priority </span><b>${sum.toFixed(1)}</b><small>${one.told.raisers.length ? one.told.raisers.join("; ").toLowerCase() : "nothing that can change stands out"}</small></td>`;
}
