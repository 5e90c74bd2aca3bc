// Why an athlete stands where the list has it, in one sentence from the athlete's own answer.
import { numberWithUnit, withUnit } from "../lib/number_format.js";
import { text, variant } from "../lib/texts.js";
import { kneeName } from "../lib/wording.js";
import { groupOf, priority } from "./squad_order.js";

/** One sentence: what raises the risk most, with its values, or why there is no place. */
export function whyHere(athlete) {
  const group = groupOf(athlete);
  const { summary } = athlete;
  if (group !== "ranked") {
    const knee = summary.hurting.length > 1 ? "both" : summary.hurting[0];
    if (group === "current_pain") return variant("page.squad.hurts_now", knee);
    return variant("page.squad.not_ranked", group);
  }
  const [first, second] = summary.causes;
  if (!first) return text("page.squad.why.nothing", { usual: againstUsual(summary) });
  const main = causeInWords(first);
  if (!first.canChange) return text("page.squad.why.fixed", { main });
  if (!second) return main;
  return text("page.squad.why.then", { main, second: lowered(second.label) });
}

/** How many points can change, for a ranked athlete. */
export const pointsThatCanChange = (athlete) =>
  text("page.squad.points", { points: priority(athlete).toFixed(1) });

function causeInWords({ label, values, usual, unit }) {
  const known = values.filter(({ value }) => value !== null);
  if (!known.length) return label;
  const read = known.map(({ side, value }) => {
    const shown = withUnit(value, unit);
    return side
      ? text("page.squad.why.side", { side: variant("page.side_inline", side), shown })
      : shown;
  });
  const parts = { label, read: read.join(", ") };
  if (usual === null) return text("page.squad.why.value", parts);
  return text("page.squad.why.value_and_usual", { ...parts, usual: numberWithUnit(usual, unit) });
}

// Both knees at once where they compare alike.
function againstUsual({ risks }) {
  const knees = ["right", "left", "either"].filter((knee) => risks[knee]).slice(0, 2);
  const bands = knees.map((knee) => variant("page.squad.why.band", risks[knee].band));
  if (new Set(bands).size === 1) return bands[0];
  return knees
    .map((knee, i) =>
      text("page.squad.why.knee", { knee: lowered(kneeName(knee)), band: bands[i] }),
    )
    .join(", ");
}

/** A label inside a sentence; an abbreviation stays as it is. */
export const lowered = (words) =>
  /^[A-Z][a-z]/.test(words) ? words[0].toLowerCase() + words.slice(1) : words;
