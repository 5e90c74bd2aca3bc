// Visits kept in this browser, and what changed between them.
import { html, nothing } from "./vendor/lit-html.js";
import { Problem, post } from "./ask.js";
import { trend } from "./charts.js";
import { BAND, SIDE, SIDES, day, fixed, in100, interval, outcome, shortDay, unit, value, withUnit } from "./words.js";

const same = (a, b) => a.trim().toLowerCase() === b.trim().toLowerCase();
const byDate = (a, b) => a.date.localeCompare(b.date);
export const visitsOf = (visits, name) => visits.filter((one) => same(one.name, name)).sort(byDate);

export function visitsView(state, act) {
  const { draft, visits, answer } = state, own = visitsOf(visits, draft.name);
  const others = visits.filter((one) => !same(one.name, draft.name)).sort((a, b) => a.name.localeCompare(b.name) || byDate(a, b));
  const replaces = own.some((one) => one.date === draft.date);
  return html`<section class="view" aria-labelledby="h-visits">
    <div class="head"><div><h1 id="h-visits" tabindex="-1">Visits${draft.name ? `: ${draft.name}` : ""}</h1>
      <p>Kept in this browser only. Two or more visits of one athlete show what changed beyond measurement error.</p></div></div>
    <section class="card" aria-labelledby="h-save"><h2 id="h-save">This visit, ${day(draft.date)}</h2>
      <p class="quiet">${answer ? (draft.name ? (replaces ? "Saved before with this name and date: saving replaces it." : "Saved under the name in the form, so that the next visit finds it.") : "Give it a name or initials in the form first, so that the next visit finds it.") : "There is nothing to save yet: age and sex come first."}</p>
      <div class="acts"><button class="btn btn--main" type="button" ?disabled=${!answer || !draft.name.trim()} @click=${act.save}>${replaces ? "Replace this visit" : "Save this visit"}</button>
        <a class="btn" href="#screen">To the form</a></div>
      ${state.saved ? html`<p class="small" role="status">${state.saved}</p>` : nothing}
      ${list(own, act, state)}
    </section>
    ${own.length > 1 ? changes(state) : own.length === 1 ? html`<p class="section quiet">One visit is saved. What changed shows from the second one on.</p>` : nothing}
    ${others.length ? html`<section class="section card" aria-labelledby="h-others"><h2 id="h-others">Others kept here</h2>${list(others, act, state)}</section>` : nothing}
  </section>`;
}

function list(visits, act, state) {
  if (!visits.length) return nothing;
  return html`<ul class="kept">${visits.map((one) => html`<li><span><b>${one.name}</b> ${day(one.date)}</span>
    <span class="acts"><button class="btn" type="button" aria-label=${`Open ${one.name}, ${day(one.date)}`} @click=${() => act.open(one.id)}>Open</button>
    <button class="btn" type="button" aria-label=${`Next visit of ${one.name}, starting from ${day(one.date)}`} @click=${() => act.next(one.id)}>Next visit</button>
    ${state.deleting === one.id ? html`<button class="btn btn--flag" type="button" @click=${() => act.remove(one.id)}>Yes, delete</button>` : html`<button class="btn" type="button" aria-label=${`Delete ${one.name}, ${day(one.date)}`} @click=${() => act.askRemove(one.id)}>Delete</button>`}</span></li>`)}</ul>`;
}

function changes(state) {
  const told = state.follow;
  if (!told) return html`<p class="section quiet" role="status">Comparing the visits.</p>`;
  if (told.faults) {
    return html`<div class="section flags flags--state"><svg width="30" height="30" aria-hidden="true"><use href="#i-flag"></use></svg><p><b>These visits can’t be compared as they are.</b>${told.faults.map((text) => html`<span class="small">${text}</span>`)}</p></div>`;
  }
  const order = { changed: 0, possible: 1, within_error: 2, no_error_known: 3 };
  const sorted = [...told.changes].sort((a, b) => order[a.verdict] - order[b.verdict]);
  const moved = sorted.filter((one) => one.verdict === "changed" || one.verdict === "possible");
  const first = moved.length ? moved : sorted.slice(0, 4), rest = sorted.filter((one) => !first.includes(one));
  return html`
    ${told.refer?.length ? html`<div class="section flags flags--refer" role="alert"><svg width="40" height="40" aria-hidden="true"><use href="#i-flag"></use></svg><div><h2>A red flag was noted</h2><ul>${told.refer.map((one) => html`<li><b>${day(one.date)}</b><span>${one.flag.reason}. ${one.flag.act}</span></li>`)}</ul></div></div>` : nothing}
    <section class="section" id="v-changes" aria-labelledby="h-changes"><h2 id="h-changes">Since ${day(told.visits[0].date)}</h2>
      <p>${told.summary}</p>${told.by_chance ? html`<p class="small quiet">${told.by_chance}</p>` : nothing}
      <div class="trends">${risks(told)}${first.map(measure)}</div>
      ${rest.length ? html`<details class="rest card trends__rest"><summary>${rest.length} more, all ${rest.every((one) => one.verdict === "within_error") ? "within error" : "without a clear change"}</summary><div class="trends">${rest.map(measure)}</div></details>` : nothing}
    </section>
    ${advised(told)}${patternsMoved(told)}`;
}

const RISK_VERDICT = { rose: "Rose", fell: "Fell", within_error: "Within error" };

function risks(told) {
  const knees = SIDES.some((side) => told.visits.some((v) => v[side])) ? SIDES : ["either"];
  return knees.map((knee) => {
    const rows = told.visits.filter((v) => v[knee]).map((v) => ({ date: v.date, label: shortDay(v.date), y: 100 * v[knee].probability, low: 100 * v[knee].interval[0], high: 100 * v[knee].interval[1] }));
    if (rows.length < 2) return nothing;
    const moved = told.risk_changes.find((one) => one.knee === knee), visits = told.visits.filter((v) => v[knee]);
    const label = `${SIDE[knee]} knee, risk in 100: ${visits.map((v) => `${in100(v[knee].probability)} (${interval(v[knee].interval)}) on ${shortDay(v.date)}`).join(", ")}`;
    return html`<figure class="card"><h3>${SIDE[knee]} knee, risk in 100</h3>${trend({ rows, floor: 0, label, format: (y) => value(Math.round(y)) })}
      <figcaption>${moved ? html`<b>${RISK_VERDICT[moved.verdict]}.</b> ${Math.abs(moved.points) < 0.05 ? "Unchanged" : `${moved.points > 0 ? "Up" : "Down"} ${fixed(Math.abs(moved.points), 1)} points`}; error alone may move it by ${fixed(moved.error_points, 1)}.${moved.same_tests ? "" : " Judged by the tests done at both visits."}` : nothing} Now ${in100(visits.at(-1)[knee].probability)} in 100: ${BAND[visits.at(-1)[knee].band].toLowerCase()}.</figcaption></figure>`;
  });
}

const VERDICT = { changed: "Changed", possible: "Perhaps changed", within_error: "Within error", no_error_known: "Error not known" };
const DIRECTION = { better: ", for the better", worse: ", for the worse", neither: "" };

function measure(one) {
  const title = one.side ? `${SIDE[one.side]}: ${one.label}` : one.label, told = unit(one.unit);
  const rows = one.series.map((at) => ({ date: at.date, label: shortDay(at.date), y: at.value, ...(at.error ? { low: at.value - at.error, high: at.value + at.error } : {}) }));
  const band = one.detectable ? [one.first - one.detectable, one.first + one.detectable] : null;
  const label = `${title}: ${one.series.map((at) => `${withUnit(at.value, one.unit)} on ${shortDay(at.date)}`).join(", ")}. ${VERDICT[one.verdict]}.`;
  const beyond = one.verdict === "changed" || one.verdict === "possible";
  return html`<figure class="card"><h3>${title}${told ? `, ${told}` : ""}</h3>${trend({ rows, band, label })}
    <figcaption><b>${VERDICT[one.verdict]}${beyond ? DIRECTION[one.direction] : ""}.</b> ${one.change === 0 ? "The same" : `${one.change > 0 ? "Up" : "Down"} ${value(Math.abs(one.change))}`}, from ${value(one.first)} to ${value(one.last)}${one.detectable ? `; anything from ${value(one.detectable)} counts` : ""}.</figcaption></figure>`;
}

function advised(told) {
  if (!told.advice_shown?.length) return nothing;
  return html`<section class="section card" aria-labelledby="h-advised"><h2 id="h-advised">Does what was advised show?</h2><ul class="kept">${told.advice_shown.map((one) => html`<li><span>${one.message}</span></li>`)}</ul></section>`;
}

function patternsMoved(told) {
  const moved = (told.imbalance_changes ?? []).filter((one) => one.verdict !== "within_error");
  if (!moved.length) return nothing;
  return html`<section class="section card" aria-labelledby="h-moved"><h2 id="h-moved">Patterns that moved</h2><ul class="kept num">${moved.map((one) => html`<li><span>${SIDE[one.side]}: ${one.label}</span><span>${in100(one.first)} to ${in100(one.last)} in 100</span></li>`)}</ul></section>`;
}

/** Compare the saved visits of one athlete; only dates and screenings are sent. */
export async function askFollowUp(visits) {
  try {
    return await post("v1/follow_up", { visits: visits.map(({ date, body }) => ({ date, screening: body })) });
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const told = error.faults.map((fault) => {
      const [, at, ...place] = fault.pointer.slice(1).split("/");
      const when = visits[Number(at)] ? `Visit of ${day(visits[Number(at)].date)}` : "The visits";
      return `${when}: ${(place.at(-1) ?? "").replaceAll("_", " ")} ${fault.message}.`;
    });
    return { faults: told.length ? told : [error.message] };
  }
}

export { outcome };
