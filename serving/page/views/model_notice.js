// What the answer is and is not, and which model gave it.
import { text, variant } from "../lib/texts.js";
import { html } from "../vendor/lit-html.js";
import { fold } from "./folds.js";

/** The fold about the model. */
export const modelFold = (state) =>
  fold(
    "a-model",
    text("page.notice.heading"),
    variant("page.notice.result", state.answer.model.cohort),
    notice(state),
  );

/** What the answer is, and of which model. */
export function notice({ answer, model, texts }) {
  return html`<div class="notice"><p>${answer.notice}</p>
    <dl>${lineage(answer.model, model, texts).map(
      ([name, content]) => html`<dt>${variant("page.notice.term", name)}</dt><dd>${content}</dd>`,
    )}</dl></div>`;
}

function lineage(own, model, texts) {
  const count = model?.athletes?.toLocaleString("en");
  const cohort = count ? text("page.notice.cohort", { cohort: own.cohort, count }) : own.cohort;
  return [
    ["model", own.version],
    ["cohort", cohort],
    ["effects", own.cohort !== "observed" && text("page.notice.effects", texts.effect_sizes)],
    ["run", own.run_id],
    ["code", own.git_sha && `git ${own.git_sha.slice(0, 10)}`],
    ["schema", own.schema],
  ].filter(([, content]) => content);
}
