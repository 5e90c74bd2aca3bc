// A training log beside the fields that it fills: the files, what they leave open, and the weeks.
import { capitalized, fixed, longDate, shortDate } from "../lib/number_format.js";
import { plural, text } from "../lib/texts.js";
import { html, nothing } from "../vendor/lit-html.js";
import { weekChart } from "./week_chart.js";

/** While one of these is open the weeks would be drawn from what may be wrong. */
const OF_THE_WEEKS = [
  "day_first",
  "distance_unit",
  "duration_unit",
  "sport",
  "sports",
  "athlete_column",
];
const MOST_NAMES = 2;

export function trainingLog(log, actions) {
  const mark = (event, isOver) => {
    event.preventDefault();
    event.currentTarget.classList.toggle("is-over", isOver);
  };
  const drop = (event) => {
    mark(event, false);
    actions.chooseLogs(event.dataTransfer.files);
  };
  return html`<div class="log" role="group" aria-labelledby="h-log"
    aria-busy=${log.isReading ? "true" : "false"}
    @dragover=${(event) => mark(event, true)} @dragleave=${(event) => mark(event, false)}
    @drop=${drop}>
    <div class="log__head"><div><p class="log__name" id="h-log">${text("page.training_log.heading")}</p>
      <p class="small quiet">${log.answer ? fileLine(log) : text("page.training_log.which")}</p></div>
      <div class="acts">${chooser(log, actions)} ${log.files.length ? remover(actions) : nothing}</div>
    </div>
    ${log.problem ? problem(log.problem) : nothing} ${log.answer ? whatItSays(log, actions) : nothing}
  </div>`;
}

function chooser(log, actions) {
  const choose = (event) => {
    actions.chooseLogs(event.target.files);
    event.target.value = "";
  };
  const words = log.isReading ? "reading" : log.files.length ? "another" : "choose";
  return html`<label class="btn filebtn"><input type="file" class="vh" id="log-files" multiple
    accept=".csv,.tsv,.txt,.xlsx,.ods,.xml,.zip" @change=${choose}>${
      {
        reading: text("page.training_log.reading"),
        another: text("page.training_log.another"),
        choose: text("page.training_log.choose"),
      }[words]
    }</label>`;
}

const remover = (actions) =>
  html`<button class="btn" type="button" @click=${actions.removeLog}>
    ${text("page.training_log.remove")}</button>`;

const problem = (reason) => html`<p class="fault" role="alert">${capitalized(reason)}</p>`;

function fileLine({ files, answer, who }) {
  const names = files.slice(0, MOST_NAMES).map(({ name }) => name);
  const more = files.length - names.length;
  const title = more
    ? text("page.training_log.more_files", { names: names.join(", "), count: more })
    : names.join(", ");
  const makers = [...new Set(answer.files.map(({ label }) => label))].join(", ");
  const own = answer.athletes[who];
  if (!own?.first_day) return `${title}: ${makers}`;
  const [first, last] = [longDate(own.first_day), longDate(own.last_day)];
  return text("page.training_log.file", {
    title,
    makers,
    sessions: plural("page.training_log.sessions", own.sessions),
    first,
    last,
  });
}

function whatItSays(log, actions) {
  const { answer, who } = log;
  const open = answer.questions.filter(({ name }) => name !== "athlete");
  const own = answer.athletes[who];
  return html`${answer.athletes.length > 1 ? athleteMenu(log, actions) : nothing}
    ${open.length ? questions(open, actions) : nothing}
    ${own ? html`${weeks(own, open)} ${details(own, answer)}` : nothing}`;
}

function athleteMenu({ answer, who }, actions) {
  return html`<label class="log__who">${text("page.training_log.who")}
    <select @change=${(event) => actions.chooseLogAthlete(Number(event.target.value))}>
      <option value="-1" ?selected=${who < 0}>${text("page.form.choose")}</option>
      ${answer.athletes.map(
        ({ athlete }, i) =>
          html`<option value=${i} ?selected=${who === i}>
          ${athlete ?? text("page.training_log.nobody")}</option>`,
      )}</select></label>`;
}

const questions = (open, actions) =>
  html`<ul class="qs">${open.map(({ question, why, choices, proposal }) => {
    const isProposed = ({ ask }) => JSON.stringify(ask) === JSON.stringify(proposal);
    return html`<li><div><p><b>${question}</b></p><p class="small quiet">${capitalized(why)}.</p></div>
      <div class="acts">${choices.map(
        (choice) =>
          html`<button type="button" class=${isProposed(choice) ? "btn btn--main" : "btn"}
          @click=${() => actions.answerLog(choice.ask)}>${choice.label}</button>`,
      )}</div></li>`;
  })}</ul>`;

function weeks(own, open) {
  if (open.some(({ name }) => OF_THE_WEEKS.includes(name)) || !own.weeks.length) return nothing;
  const charts = ["run_km", "hours"].filter((name) => own.weeks.some((week) => week[name] > 0));
  return html`<div class="log__charts">${charts.map((name) => chart(own.weeks, name))}</div>`;
}

const TITLES = {
  run_km: (values) => text("page.training_log.chart.run_km", values),
  hours: (values) => text("page.training_log.chart.hours", values),
};
const LABELS = {
  run_km: (values) => text("page.training_log.chart_label.run_km", values),
  hours: (values) => text("page.training_log.chart_label.hours", values),
};

function chart(rows, name) {
  const heights = rows.map((week) => week[name]);
  const recent = heights.slice(-4);
  const mean = fixed(recent.reduce((sum, height) => sum + height, 0) / 4, 1);
  const label = LABELS[name]({
    mean,
    weeks: rows.map((week, i) => `${shortDate(week.first_day)} ${fixed(heights[i], 1)}`).join(", "),
  });
  return html`<figure><figcaption>${TITLES[name]({ mean })}</figcaption>
    ${weekChart({ weeks: rows, heights, label })}</figure>`;
}

// How each value was worked out, and what was left out.
function details(own, answer) {
  const leftOut = answer.files.flatMap((file) => file.left_out);
  const notes = [...own.notes, ...answer.notes];
  return html`<details class="rest"><summary>${text("page.training_log.how")}</summary>
    <ul class="log__how small">${own.measures.map(
      (told) => html`<li><b>${told.label}</b> ${told.how}.</li>`,
    )}</ul>
    ${notes.map((note) => html`<p class="small quiet">${note}</p>`)}
    ${leftOut.map(
      ({ count, message }) =>
        html`<p class="small quiet">
        ${plural("page.training_log.left_out", count, { message })}</p>`,
    )}</details>`;
}

const unbroken = (day) => shortDate(day).replaceAll(" ", "\u00a0");

/** Under a field: from which days of the log it was filled, and the way back. */
export function fromLog(field, state, actions) {
  const filled = state.draft.fromLog?.[field.path];
  if (!filled || filled.value !== state.draft.values[field.path]) return nothing;
  const days = { first: unbroken(filled.first), last: unbroken(filled.last) };
  const words = filled.was
    ? text("page.training_log.from_log_was", { ...days, was: filled.was })
    : text("page.training_log.from_log", days);
  const label = text("page.training_log.undo_label", { measure: field.measure.title });
  return html`<p class="fromlog"><span>${words}</span>
    <button type="button" aria-label=${label} @click=${() => actions.undoFromLog(field.path)}>
      ${text("page.training_log.undo")}</button></p>`;
}
