// An athlete's state in words.
import { text, variant } from "../lib/texts.js";
import { groupOf } from "./squad_order.js";

/** The groups by which the squad can be filtered, in the order of the menu. */
export const STATUS_GROUPS = [
  "refer",
  "ranked",
  "current_pain",
  "low_information",
  "unseen",
  "refused",
];

export const groupName = (group) => variant("page.squad.group", group);

/** An athlete's state, for a cell of the export. */
export function statusWords(athlete) {
  const { summary } = athlete;
  const group = groupOf(athlete);
  if (group === "refer") return text("page.referral.short", { when: summary.flags[0].when });
  if (group === "current_pain") {
    const knee = summary.hurting.length > 1 ? "both" : summary.hurting[0];
    return variant("page.squad.hurts_now", knee);
  }
  const isOutside = group === "ranked" && summary.status === "out_of_population";
  return isOutside ? text("page.squad.outside") : groupName(group);
}
