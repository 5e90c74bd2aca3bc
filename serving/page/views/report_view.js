// The view of the printable pages: for the athlete, for the physio, and for the file.
import { text, variant } from "../lib/texts.js";
import { html, nothing } from "../vendor/lit-html.js";
import { recordPage } from "./record_page.js";

export function reportView(state, actions) {
  const isRecord = state.reportKind === "record";
  const heading = text("page.report.heading");
  const { name } = state.draft;
  const title = name ? text("page.titled", { title: heading, name }) : heading;
  const hasFailed = state.reportStatus === "failed" && !isRecord;
  const record = () =>
    html`<div class="paper" role="region" tabindex="0" aria-label=${text("page.report.region")}>
      ${recordPage(state)}</div>`;
  return html`<section class="view" aria-labelledby="h-rep">
    <div class="head"><div><h1 id="h-rep" tabindex="-1">${title}</h1>
      <p>${subtitle(state)}</p></div>
    <div class="acts">${state.answer ? buttons(state, actions, isRecord) : toForm()}</div></div>
    ${hasFailed ? failure(state.reportProblem) : nothing}
    ${state.reportKind === "hand_out" && state.answer ? fillIns(state, actions) : nothing}
    ${isRecord && state.answer ? record() : nothing}
  </section>`;
}

function subtitle({ answer, reportKind }) {
  if (!answer) return text("page.report.no_answer");
  return variant("page.report.note", reportKind);
}

// What the physio writes on the athlete's sheet before it is printed.
function fillIns({ contact, callTimes, answer }, actions) {
  const field = (name, type, value) =>
    html`<label class="fill">${variant("page.report.fill", name)}
      <input type=${type} .value=${value} autocomplete="off"
        @input=${(event) => actions.fillIn(name, event.target.value)}></label>`;
  return html`<form class="card fills" aria-label=${text("page.report.fill_label")}
      @submit=${(event) => event.preventDefault()}>
    ${field("name", "text", contact.name)} ${field("phone", "tel", contact.phone)}
    ${field("clinic", "text", contact.clinic)} ${field("when", "text", callTimes)}
    ${answer.plan ? field("next", "date", actions.nextDate()) : nothing}
  </form>`;
}

const toForm = () => html`<a class="btn btn--main" href="#screen">${text("page.to_the_form")}</a>`;

function buttons(state, actions, isRecord) {
  const isReady =
    isRecord || (state.reportStatus === "ready" && state.framedKind === state.reportKind);
  const kind = (code) =>
    html`<button type="button" aria-pressed=${state.reportKind === code ? "true" : "false"}
      @click=${() => actions.chooseReport(code)}>${variant("page.report.kind", code)}</button>`;
  return html`<div class="seg" role="group" aria-label=${text("page.report.which")}>
      ${["hand_out", "report", "record"].map(kind)}</div>
    <button class="btn btn--main" type="button" ?disabled=${!isReady} @click=${actions.print}>
      ${text("page.report.print")}</button>
    <button class="btn" type="button" @click=${actions.downloadJson}>
      ${text("page.report.download")}</button>`;
}

const failure = (problem) =>
  html`<p class="card" role="alert">${text("page.report.failed", { problem })}</p>`;
