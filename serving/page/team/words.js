// How the squad's states are said.
import { SIDE } from "../words.js";
import { group } from "./priority.js";

/** The states by which the squad can be filtered. */
export const GROUP = {
  refer: "Red flag", current_pain: "Hurts now", scored: "Scored",
  low_information: "Too little measured", refused: "Not scored",
};

export const OUTSIDE = "Outside what the model has seen";

/** An athlete's state in words, for a tag or a cell. */
export function statusWords(one) {
  const { told } = one, of = group(one);
  if (of === "refer") return `See a clinician ${told.flags[0].when}`;
  if (of === "current_pain") return `${told.hurts.length > 1 ? "Both knees hurt" : `${SIDE[told.hurts[0]]} knee hurts`} now`;
  return of === "scored" && told.status === "out_of_population" ? OUTSIDE : GROUP[of];
}

export const many = (n, one, more = `${one}s`) => `${n.toLocaleString("en")} ${n === 1 ? one : more}`;
export const sentence = (text) => text[0].toUpperCase() + text.slice(1);
