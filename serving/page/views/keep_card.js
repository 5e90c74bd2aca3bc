// Keeping the answer that stands there in the club's records, and whether it is kept.
import { isKept } from "../club/club_state.js";
import { isAthleteId, keepsRecords } from "../lib/club_records.js";
import { longDate } from "../lib/number_format.js";
import { text } from "../lib/texts.js";
import { html, nothing } from "../vendor/lit-html.js";

/** A card for the visits; nothing where the service keeps no records. */
export function keepCard(state, actions) {
  if (!keepsRecords()) return nothing;
  const { club } = state;
  return html`<section class="section card keep" aria-labelledby="h-records">
    <h2 id="h-records">${text("club.keep.heading")}</h2>
    <p class="quiet">${text("club.keep.note")}</p>
    ${club.isOpen ? keepForm(state, actions) : closed()}
    ${club.keepProblem ? html`<p class="keep__bad" role="alert">${club.keepProblem}</p>` : nothing}
  </section>`;
}

const closed = () =>
  html`<p>${text("club.keep.closed")}</p>
    <div class="acts"><a class="btn" href="#club">${text("club.keep.open")}</a></div>`;

function keepForm(state, actions) {
  const { club, draft, answer } = state;
  const athlete = draft.athleteId ?? "";
  const canKeep = answer && isAthleteId(athlete) && !club.isKeeping && !isKept(state);
  const submit = (event) => {
    event.preventDefault();
    if (canKeep) actions.keepAnswer();
  };
  return html`<form class="keep__form" autocomplete="off" @submit=${submit}>
      <div class="fact"><label for="keep-id">${text("club.keep.athlete")}</label>
        <div class="cell"><input id="keep-id" type="text" class="is-text" maxlength="64"
          autocapitalize="off" spellcheck="false" aria-describedby="keep-hint" .value=${athlete}
          @input=${(event) => actions.setAthleteId(event.target.value)}></div>
        <p id="keep-hint">${text("club.keep.hint")}</p></div>
      <button class="btn btn--main" type="submit" ?disabled=${!canKeep}>${label(state)}</button>
    </form>
    ${answer ? nothing : html`<p class="small quiet">${text("club.keep.nothing")}</p>`}
    <div role="status">${club.kept ? keptLine(state) : nothing}</div>`;
}

function label(state) {
  const { club, draft } = state;
  if (club.isKeeping) return text("club.keep.working");
  const isSame = club.kept?.athlete === draft.athleteId && club.kept.date === draft.date;
  return isSame && !isKept(state) ? text("club.keep.again") : text("club.keep.button");
}

function keptLine(state) {
  const { athlete, date, answerId } = state.club.kept;
  const words = text("club.keep.kept", { athlete, date: longDate(date) });
  const changed = isKept(state) ? "" : text("club.keep.changed");
  return html`<p class="keep__done"><b>${words}</b> ${changed}
    <span class="small quiet num">${text("club.keep.answer_id", { answer: answerId })}</span></p>`;
}

/** A few words for the answer's head, where it is kept as it stands. */
export const keptTag = (state) =>
  keepsRecords() && state.club.kept && isKept(state)
    ? html`<span class="tag tag--today">${text("club.keep.kept_tag")}</span>`
    : nothing;
