// The screening form: stations as the coach walks, right before left, faults by the field.
import { html, nothing } from "./vendor/lit-html.js";
import { typical } from "./fields.js";
import { EQUIPMENT, SIDE, choice, fixed, in100, unit, value } from "./words.js";

const id = (path) => `f-${path.replaceAll(".", "-")}`;

/** How much of a station is filled: for the chips. */
export function progress(station, draft, faults) {
  const fields = station.rows.flatMap((row) => row.fields);
  const bad = fields.filter((f) => faults[f.path] && !faults[f.path].wait).length;
  const waits = fields.some((f) => faults[f.path]?.wait);
  const rows = station.rows.filter((row) => row.known && !row.protocol);
  const done = rows.filter((row) => row.fields.some((f) => (draft.values[f.path] ?? "").trim())).length;
  if (bad) return { bad: true, text: `${bad} to fix` };
  if (waits) return { bad: true, text: "protocol missing" };
  return { bad: false, text: done ? `${done} of ${rows.length}` : "not done" };
}

export function form(state, act) {
  const { stations, draft, faults, texts } = state;
  const flagged = draft.flags.length ? `${draft.flags.length} ticked` : draft.cleared ? "clear" : "not asked";
  return html`<section class="view" aria-labelledby="h-screen">
    <div class="head"><div><h1 id="h-screen" tabindex="-1">Screening${draft.name ? `: ${draft.name}` : ""}</h1>
      <p>Kept in this browser only. Leave out any test you have not done.</p></div>
      <div class="acts"><button class="btn" type="button" @click=${act.example}>Fill in an example</button><button class="btn" type="button" @click=${act.clear}>Start a new one</button></div></div>
    <nav class="walk" aria-label="Stations">
      <a href="#st-flags" class=${draft.flags.length ? "is-bad" : ""}>Red flags <b>${flagged}</b></a>
      ${stations.map((station) => {
        const { bad, text } = progress(station, draft, faults);
        return html`<a href=${`#st-${station.key}`} class=${bad ? "is-bad" : ""}>${station.title} <b>${text}</b></a>`;
      })}
    </nav>
    <form class="screen" novalidate autocomplete="off" @submit=${(e) => e.preventDefault()} @keydown=${onward}>
      <div>
        ${who(draft, act)}
        ${flags(draft, texts, act)}
        ${stations.map((station) => stationCard(station, state, act))}
        ${keepCard(state, act)}
      </div>
      ${state.live}
    </form>
  </section>`;
}

// Enter goes to the next field, as the walk does; the keyboard of a phone says "next".
function onward(event) {
  if (event.key !== "Enter" || !event.target.matches("input[type=text]")) return;
  event.preventDefault();
  const all = [...event.currentTarget.querySelectorAll("input[type=text], select")].filter((one) => one.offsetParent);
  all[all.indexOf(event.target) + 1]?.focus();
}

function who(draft, act) {
  return html`<fieldset class="card station"><legend>Who and when</legend>
    <p class="station__note">For your own list. The name never leaves this browser, not even for the report.</p>
    <div class="facts facts--who">
      <div class="fact"><label for="who">Name or initials</label><div class="cell"><input id="who" type="text" class="is-text" enterkeyhint="next" .value=${draft.name} @input=${(e) => act.set("name", e.target.value)}></div></div>
      <div class="fact"><label for="when">Date of the visit</label><div class="cell"><input id="when" type="date" class="is-text" .value=${draft.date} @input=${(e) => act.set("date", e.target.value)}></div></div>
    </div></fieldset>`;
}

// -- red flags -------------------------------------------------------------------------------

function flags(draft, texts, act) {
  const asked = texts.red_flags, acute = asked.find((flag) => flag.code === "acute_injury_within_7_days");
  const after = asked.filter((flag) => flag.needs_acute_injury);
  const of = (urgency) => asked.filter((flag) => flag.urgency === urgency && flag !== acute && !flag.needs_acute_injury);
  const any = draft.flags.length > 0, shown = !draft.cleared || any;
  const count = asked.length - after.length;
  return html`<fieldset class="card station" id="st-flags" tabindex="-1"><legend>Red flags first</legend>
    <p class="station__note">Ask all of them before anything is measured. One tick can stop the score, and the answer becomes: see a clinician.</p>
    ${shown ? html`
      ${acute ? group("First", [acute], draft, act) : nothing}
      ${acute && draft.flags.includes(acute.code) ? group("After the injury: seen today", after, draft, act) : nothing}
      ${texts.urgencies.map(({ urgency, when }) => group(urgency === "routine" ? `Mention these to a clinician ${when}` : `Any of these: seen ${when}`, of(urgency), draft, act))}` : nothing}
    <div class="checks checks--all">
      <label><input type="checkbox" id="cleared" .checked=${draft.cleared && !any} ?disabled=${any} @change=${(e) => act.set("cleared", e.target.checked)}>
        <b>${any ? `${draft.flags.length} of them ${draft.flags.length === 1 ? "applies" : "apply"}` : `All ${count} asked, none applies`}</b></label>
      ${draft.cleared && !any ? html`<button class="more" type="button" @click=${() => act.set("cleared", false)}>Show the questions again</button>` : nothing}
    </div>
  </fieldset>`;
}

function group(title, list, draft, act) {
  if (!list.length) return nothing;
  return html`<div class="checks" role="group" aria-label=${title}><p class="checks__h">${title}</p>
    ${list.map((flag) => html`<label><input type="checkbox" name=${flag.code} .checked=${draft.flags.includes(flag.code)} @change=${(e) => act.flag(flag.code, e.target.checked)}> <span>${flag.question}</span></label>`)}
  </div>`;
}

// -- stations --------------------------------------------------------------------------------

function stationCard(station, state, act) {
  const shown = station.rows.filter((row) => row.known), rest = station.rows.filter((row) => !row.known);
  const body = html`${rowsOf(shown, state, act)}
    ${rest.length ? html`<details class="rest"><summary>${rest.length} more that ${rest.length === 1 ? "is" : "are"} kept but not used by this model</summary>${rowsOf(rest, state, act)}</details>` : nothing}`;
  const filled = station.rows.some((row) => row.fields.some((f) => state.draft.values[f.path]));
  if (station.key === "lab") {
    return html`<details class="card station station--lab" id="st-lab" tabindex="-1" ?open=${filled || state.open.has("lab")}>
      <summary><h2>${station.title}</h2><p class="station__note">${station.note}</p></summary>${body}</details>`;
  }
  return html`<fieldset class="card station" id=${`st-${station.key}`} tabindex="-1"><legend>${station.title}</legend>
    <p class="station__note">${station.note}</p>${body}</fieldset>`;
}

function rowsOf(rows, state, act) {
  const singles = rows.filter((row) => row.fields.length === 1 && !row.protocol);
  const protocols = rows.filter((row) => row.protocol), pairs = rows.filter((row) => row.fields.length === 2 && asked(row, state));
  // How a test was done stands just above the first value that it gives.
  const above = (row) => protocols.filter((p) => p.about.test === row.about.test && pairs.find((one) => one.about.test === row.about.test) === row);
  const facts = singles.length ? html`<div class="facts">${singles.map((row) => fact(row, state, act))}</div>` : nothing;
  const knees = pairs.map((row) => html`${above(row).map((p) => protocolRow(p, state, act))}${pairRow(row, state, act)}`);
  return singles[0]?.station === "history" ? html`${knees}${facts}` : html`${facts}${knees}`;
}

// Where and how long it hurts is asked once a knee hurts.
function asked(row, { draft }) {
  if (!row.fields[0].section.startsWith("pain") || row.name === "pain_nrs") return true;
  return row.fields.some((f) => draft.values[f.path]) || ["right", "left"].some((side) => Number(draft.values[`pain.${side}.pain_nrs`]) > 0);
}

function fact(row, state, act) {
  const [field] = row.fields, fault = state.faults[field.path];
  const hint = norm(row, state);
  return html`<div class="fact">
    <label for=${id(field.path)}>${row.title}${field.required ? html` <span class="need">needed</span>` : nothing}</label>
    ${field.kind === "choice" ? select(field, state, act) : cell(field, state, act, "")}
    <p id=${`${id(field.path)}-t`}>${hint ? html`${hint.typical}. ` : nothing}${row.about.description}</p>
    ${fault ? faultLine(field, fault, act, "") : nothing}
  </div>`;
}

function protocolRow(row, state, act) {
  const [field] = row.fields, fault = state.faults[field.path], chosen = state.draft.values[field.path] ?? "";
  return html`<div class=${fault ? "row row--how row--bad" : "row row--how"} role="group" aria-labelledby=${`${id(field.path)}-n`}>
    <div><p class="row__name" id=${`${id(field.path)}-n`}>${row.title}</p><p class="row__hint">${row.about.description}</p></div>
    <div class="seg">${field.choices.map((code) => html`<label><input type="radio" class="vh" name=${id(field.path)} value=${code} .checked=${chosen === code} aria-describedby=${fault ? `${id(field.path)}-e` : nothing} @change=${() => act.value(field.path, code)}><span>${choice(code)}</span></label>`)}
      ${chosen ? html`<button type="button" @click=${() => act.value(field.path, "")} aria-label=${`${row.title}: not stated`}>×</button>` : nothing}</div>
    ${fault ? faultLine(field, fault, act, "") : nothing}
  </div>`;
}

function pairRow(row, state, act) {
  const hint = norm(row, state), key = id(row.fields[0].path);
  return html`<div class="row" role="group" aria-labelledby=${`${key}-n`}>
    <div><p class="row__name" id=${`${key}-n`}>${row.title}</p><p class="row__hint">${row.about.description}</p></div>
    <div class="pair">${row.fields.map((field) => (field.kind === "choice"
      ? html`<div class="fact"><label for=${id(field.path)}>${SIDE[field.side]}<span class="vh"> knee: ${row.title}</span></label>${select(field, state, act)}</div>`
      : cell(field, state, act, `${key}-t`)))}</div>
    <p class="row__typ" id=${`${key}-t`}>${hint ? html`<b>${hint.typical}</b>${hint.assumed ? " (assumed)" : ""}<br>${hint.error}` : nothing}${difference(row, state)}</p>
    ${row.fields.map((field) => (state.faults[field.path] ? faultLine(field, state.faults[field.path], act, `${SIDE[field.side]}: `) : nothing))}
  </div>`;
}

function norm(row, state) {
  const usual = typical(row.about, state.draft.values), { sem } = row.about;
  if (!usual) return null;
  const digits = usual.sd >= 2 ? 0 : usual.sd >= 0.2 ? 1 : 2;
  const [low, high] = [usual.mean - usual.sd, usual.mean + usual.sd].map((x) => fixed(Math.max(x, row.about.minimum), digits));
  const told = unit(row.about.unit);
  return {
    typical: `Typical ${low} to ${high}${told === "°" ? "°" : ""}`,
    assumed: usual.assumed,
    error: sem ? `One reading: ±${fixed(1.96 * sem, digits ? digits : 1)}` : "Error not published",
  };
}

function difference(row, state) {
  const found = state.answer?.side_differences?.find((one) => one.measure === row.name);
  if (!found || !row.fields.every((f) => state.draft.values[f.path])) return nothing;
  const told = unit(found.unit), size = value(Math.abs(found.difference)) + (told === "°" ? "°" : "");
  return html`<br>Sides differ by ${size}: ${found.beyond_error ? html`<b>beyond error</b>` : "within error"} (${value(found.detectable)})`;
}

function select(field, state, act) {
  const now = state.draft.values[field.path] ?? "";
  return html`<select id=${id(field.path)} aria-describedby=${field.side ? nothing : `${id(field.path)}-t`} aria-invalid=${state.faults[field.path] ? "true" : nothing} @change=${(e) => act.value(field.path, e.target.value)}>
    <option value="" ?selected=${!now}>${field.required ? "Choose" : "Not asked"}</option>
    ${field.choices.map((code) => html`<option value=${code} ?selected=${now === code}>${choice(code)}</option>`)}</select>`;
}

function cell(field, state, act, described) {
  const typed = state.draft.values[field.path] ?? "", fault = state.faults[field.path];
  const waits = state.waits.includes(field.path);
  const kind = fault ? "cell cell--bad" : typed.trim() ? (waits ? "cell cell--wait" : "cell") : "cell cell--empty";
  const told = field.kind === "integer" && field.about.unit === "grade" ? `of ${field.about.maximum}` : unit(field.about.unit);
  const describedBy = [fault ? `${id(field.path)}-e` : "", described || (field.side ? "" : `${id(field.path)}-t`)].filter(Boolean).join(" ");
  const sign = () => {
    const text = typed.trim();
    act.value(field.path, /^[-−]/.test(text) ? text.slice(1) : `-${text}`);
    document.getElementById(id(field.path)).focus();
  };
  return html`<div class=${kind}>
    ${field.side ? html`<label for=${id(field.path)}>${field.side[0].toUpperCase()}<span class="vh">${field.side.slice(1)} leg: ${field.about.title}${field.about.unit ? `, ${field.about.unit}` : ""}</span></label>` : nothing}
    ${field.about.minimum < 0 ? html`<button type="button" class="sign-key" tabindex="-1" aria-label=${`${field.label}: change sign`} @click=${sign}>±</button>` : nothing}
    <input id=${id(field.path)} type="text" inputmode=${field.kind === "integer" ? "numeric" : "decimal"} enterkeyhint="next" autocomplete="off" placeholder=${field.side ? "–" : ""}
      aria-invalid=${fault ? "true" : nothing} aria-describedby=${describedBy || nothing} .value=${typed} @input=${(e) => act.value(field.path, e.target.value)}>
    ${told ? html`<i aria-hidden="true">${told}</i>` : nothing}</div>`;
}

function faultLine(field, fault, act, side) {
  return html`<p class="fault" id=${`${id(field.path)}-e`}><span>${side}${sentence(fault.fault)}${fault.wait ? "" : ". Left out of the answer until fixed"}.</span>
    ${fault.tries.map((x) => html`<button type="button" @click=${() => act.value(field.path, String(x))}>Did you mean ${value(x)}?</button>`)}</p>`;
}

const sentence = (text) => text[0].toUpperCase() + text.slice(1);

// -- what is kept ----------------------------------------------------------------------------

function keepCard(state, act) {
  return html`<section class="card" aria-labelledby="h-keep"><h2 id="h-keep">What this browser keeps</h2>
    <p class="quiet">The unfinished form and the visits you save stay on this device, so that a reload loses nothing; a squad stays until this tab is closed. On a shared device, forget them when you leave.</p>
    <div class="acts"><button class="btn" type="button" @click=${act.forget}>Forget everything kept here</button></div>
    ${state.forgot ? html`<p class="small" role="status">${state.forgot}</p>` : nothing}</section>`;
}

/** The switch for what is at hand: it only changes which tests are proposed next. */
export function equipment(draft, act) {
  const on = draft.equipment !== null;
  return html`<label class="pick"><input type="checkbox" .checked=${on} @change=${(e) => act.set("equipment", e.target.checked ? ["tape_or_phone"] : null)}> I only have a tape measure and a phone</label>`;
}

export { EQUIPMENT, in100 };
