// The questions that come before any measurement, by how soon a clinician has to look.
import { plural, text } from "../lib/texts.js";
import { html, nothing } from "../vendor/lit-html.js";

const ACUTE_INJURY = "acute_injury_within_7_days";

/** Whether the questions were asked and what came of them, for the links to the stations. */
export function flagState({ flags, cleared }) {
  if (flags.length) return text("page.form.ticked", { count: flags.length });
  return cleared ? text("page.form.clear") : text("page.form.not_asked");
}

export function redFlagQuestions(draft, texts, actions) {
  const isAnyTicked = draft.flags.length > 0;
  const areShown = !draft.cleared || isAnyTicked;
  return html`<fieldset class="card station" id="st-flags" tabindex="-1">
    <legend>${text("page.questions.heading")}</legend>
    <p class="station__note">${text("page.questions.note")}</p>
    ${areShown ? groups(draft, texts, actions) : nothing}
    ${clearedCheck(draft, texts, actions, isAnyTicked)}
  </fieldset>`;
}

function groups(draft, texts, actions) {
  const questions = texts.red_flags;
  const acute = questions.filter(({ code }) => code === ACUTE_INJURY);
  const afterInjury = questions.filter((flag) => flag.needs_acute_injury);
  const hasInjury = draft.flags.includes(ACUTE_INJURY);
  const others = (urgency) =>
    questions.filter(
      (flag) => flag.urgency === urgency && flag.code !== ACUTE_INJURY && !flag.needs_acute_injury,
    );
  const title = ({ urgency, when }) =>
    urgency === "routine"
      ? text("page.questions.routine", { when })
      : text("page.questions.any_of_these", { when });
  return html`${group(text("page.questions.first"), acute, draft, actions)}
    ${
      acute.length && hasInjury
        ? group(text("page.questions.after_injury"), afterInjury, draft, actions)
        : nothing
    }
    ${texts.urgencies.map((urgency) =>
      group(title(urgency), others(urgency.urgency), draft, actions),
    )}`;
}

function group(title, flags, draft, actions) {
  if (!flags.length) return nothing;
  return html`<div class="checks" role="group" aria-label=${title}><p class="checks__h">${title}</p>
    ${flags.map((flag) => question(flag, draft, actions))}
  </div>`;
}

function question({ code, question: words }, draft, actions) {
  const change = (event) => actions.setRedFlag(code, event.target.checked);
  return html`<label><input type="checkbox" name=${code} .checked=${draft.flags.includes(code)}
    @change=${change}> <span>${words}</span></label>`;
}

function clearedCheck(draft, texts, actions, isAnyTicked) {
  const isCleared = draft.cleared && !isAnyTicked;
  const count = texts.red_flags.filter((flag) => !flag.needs_acute_injury).length;
  const label = isAnyTicked
    ? plural("page.questions.apply", draft.flags.length)
    : text("page.questions.none_applies", { count });
  const change = (event) => actions.setDraft("cleared", event.target.checked);
  const showAgain = html`<button class="more" type="button"
    @click=${() => actions.setDraft("cleared", false)}>${text("page.questions.show")}</button>`;
  return html`<div class="checks checks--all">
    <label><input type="checkbox" id="cleared" .checked=${isCleared} ?disabled=${isAnyTicked}
      @change=${change}> <b>${label}</b></label>
    ${isCleared ? showAgain : nothing}
  </div>`;
}
