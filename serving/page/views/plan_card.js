// The plan: at most three things to do, each with how much, why, and where that comes from.
import { pose } from "../lib/icon.js";
import { list } from "../lib/number_format.js";
import { text, variant } from "../lib/texts.js";
import { grade } from "../lib/wording.js";
import { html, nothing } from "../vendor/lit-html.js";
import { sourceList } from "./advice_cards.js";
import { aside, isPhone } from "./folds.js";

/** The plan of an answer; nothing where there is none. */
export function planCard({ plan }) {
  if (!plan?.items.length) return nothing;
  const shared = sharedSides(plan.items);
  return html`<section class="card plan" id="a-plan" aria-labelledby="h-plan">
    <h2 id="h-plan">${heading(shared)}</h2>
    <ol>${plan.items.map((item, i) => planItem(item, i + 1, !shared))}</ol>
    <p class="small plan__end">${plan.stop} ${plan.see ?? nothing}</p>
    <p class="small plan__end">${plan.test_again.text}</p>
  </section>`;
}

// The one leg that the whole plan is for, if it is one leg.
function sharedSides(items) {
  const sides = [...new Set(items.flatMap((item) => (item.sides?.length ? item.sides : ["all"])))];
  return sides.length === 1 ? sides[0] : null;
}

const heading = (side) => variant("page.plan.heading", side) ?? text("page.plan.heading.all");

function planItem(item, number, isNamed) {
  const own = isNamed && item.sides?.length ? ` (${sidesOf(item)})` : "";
  const why = html`${item.why} ${from(item)}`;
  return html`<li><span class="n" aria-hidden="true">${number}</span><div>
    <h3>${item.title}${own}</h3>
    <dl><div><dt>${text("page.plan.dose")}</dt><dd>${dose(item)}</dd></div>
      ${isPhone() ? nothing : html`<div><dt>${text("page.plan.why")}</dt><dd>${why}</dd></div>`}</dl>
    ${isPhone() ? aside(`a-plan-${item.code}`, text("page.plan.why"), html`<p>${why}</p>`) : nothing}
  </div>${item.exercise ? pose(item.exercise) : nothing}</li>`;
}

// How much, and where no trial says so, that.
function dose({ dose: amount, dose_untested: isUntested }) {
  if (!amount) return text("page.plan.no_dose");
  return isUntested ? text("page.plan.untested", { dose: amount }) : amount;
}

// Where it comes from, and how well it is supported.
function from({ sources, grade: own }) {
  const evidence = own
    ? html` <span class="quiet">(${text("page.plan.grade", { grade: grade(own).toLowerCase() })})</span>`
    : nothing;
  return html`${sourceList(sources, { isShort: true })}${evidence}`;
}

const sidesOf = ({ sides }) =>
  list(
    [...sides]
      .sort()
      .reverse()
      .map((side) => variant("page.side_inline", side)),
  );
