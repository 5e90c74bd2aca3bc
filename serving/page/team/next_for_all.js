// One test for the whole squad: the one that settles most, for how many it is worth the time.
import { fixed, list } from "../lib/number_format.js";
import { plural, text, variant } from "../lib/texts.js";
import { html, nothing } from "../vendor/lit-html.js";
import { lacksTests } from "./squad_state.js";
import { lowered } from "./why_here.js";

/** So many of those it is not worth it for are named; more are counted. */
const MAX_NAMED = 3;

/**
 * The test that settles most of what is open, all athletes together; null where none is worth it,
 * and while the tests of some are not known.
 */
export function nextForAll(athletes) {
  if (athletes.some(lacksTests)) return null;
  const scored = athletes.filter(({ summary }) => summary && summary.status !== "refer");
  const totals = new Map();
  for (const athlete of scored) {
    for (const test of (athlete.summary.nextTests ?? []).filter(({ isWorth }) => isWorth)) {
      const total = totals.get(test.test) ?? { ...test, sum: 0, worthFor: [] };
      total.sum += test.share;
      total.worthFor.push(athlete);
      totals.set(test.test, total);
    }
  }
  const [best] = [...totals.values()].sort((a, b) => b.sum - a.sum || a.minutes - b.minutes);
  if (!best) return null;
  const notFor = scored.filter((athlete) => !best.worthFor.includes(athlete));
  return { ...best, all: scored.length, notFor, mean: best.sum / best.worthFor.length };
}

/** The card above the list. */
export function nextForAllCard(team, menu) {
  const scored = team.athletes.filter(({ summary }) => summary && summary.status !== "refer");
  if (!scored.length || team.isBusy || team.athletes.some(lacksTests)) return nothing;
  const best = nextForAll(team.athletes);
  const heading = best
    ? text("page.squad.next.heading", {
        test: lowered(best.label),
        minutes: fixed(best.minutes, 0),
      })
    : text("page.squad.next.nothing");
  return html`<section class="card nextall" aria-labelledby="h-nextall">
    <div><h2 id="h-nextall">${heading}</h2>
    <p>${best ? explanation(best) : text("page.squad.next.nothing_why")}</p></div>${menu}</section>`;
}

function explanation(best) {
  const share = fixed(100 * best.mean, 0);
  const values = { all: best.all, share };
  return [
    plural("page.squad.next.settles", best.worthFor.length, values),
    variant("page.squad.next.needs", best.equipment),
    notWorth(best),
  ]
    .filter(Boolean)
    .join(" ");
}

function notWorth({ notFor }) {
  if (!notFor.length) return "";
  if (notFor.length > MAX_NAMED)
    return text("page.squad.next.not_for_some", { count: notFor.length });
  return text("page.squad.next.not_for", { names: list(notFor.map(({ name }) => name)) });
}
