// A club's records on the page: opened by its key, then the weekly check or monitoring.
import { icon } from "../lib/icon.js";
import { text, variant } from "../lib/texts.js";
import { html, nothing } from "../vendor/lit-html.js";
import { checkInView } from "./check_in_view.js";
import { monitoringView } from "./monitoring_view.js";

const TABS = ["club", "monitoring"];

export function clubView(state, actions) {
  const { club, view } = state;
  const problem = html`<div class="flags flags--state" role="alert">${icon("flag", 30)}
    <p><b>${club.problem}</b></p></div>`;
  const content = view === "club" ? checkInView : monitoringView;
  return html`<section class="view club" aria-labelledby="h-club">
    ${club.isOpen ? tabs(view, actions) : nothing} ${club.problem ? problem : nothing}
    ${club.isOpen ? content(state, actions) : keyForm(actions)}
  </section>`;
}

const tabs = (view, actions) =>
  html`<div class="club__top"><nav class="seg" aria-label=${text("club.tabs")}>
      ${TABS.map(
        (name) =>
          html`<a href=${`#${name}`} aria-current=${name === view ? "page" : nothing}>
            ${variant("club.tab", name)}</a>`,
      )}</nav>
    <button class="more" type="button" @click=${actions.closeClub}>
      ${text("club.key.forget")}</button></div>`;

function keyForm(actions) {
  const submit = (event) => {
    event.preventDefault();
    actions.openClub(event.currentTarget.querySelector("input").value.trim());
  };
  return html`<form class="card club__key" autocomplete="off" @submit=${submit}>
    <h1 id="h-club" tabindex="-1">${text("club.key.heading")}</h1>
    <p>${text("club.key.why")}</p>
    <label for="club-key">${text("club.key.label")}</label>
    <input id="club-key" type="password" required maxlength="100" pattern="kr_[!-~]+"
      placeholder="kr_…" autocomplete="off" spellcheck="false">
    <button class="btn btn--main" type="submit">${text("club.key.submit")}</button>
    <p class="small quiet">${text("club.key.kept")}</p></form>`;
}
