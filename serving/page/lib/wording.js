// Words for the codes of an answer that several views show.
import { in100, interval } from "./number_format.js";
import { text, variant } from "./texts.js";

// A front view has the athlete's right leg on the viewer's left, so right comes first.
export const SIDES = ["right", "left"];

export const sideName = (code) => variant("shared.side_title", code);
export const legName = (code) => variant("shared.leg_title", code);
export const kneeName = (code) => variant("shared.knee_title", code);
export const theKnee = (code) => variant("shared.knee", code);

/** The members of a sport: "runners". */
export const athletes = (sport) => variant("shared.athletes", sport) ?? text("shared.athletes.any");
export const typicalAthlete = (sport) =>
  variant("page.typical_athlete", sport) ?? text("page.typical_athlete.any");

export const band = (code) => variant("page.band", code);
export const isRaised = (code) => code === "above" || code === "well_above";

/** Whom the model has to have seen for any number of an answer to hold. */
const BASICS = ["age_years", "sex", "sport"];

/** Whether a reason says that the model has not seen the like, so that no number of it holds. */
export const isUnseen = ({ code, column }) =>
  code === "out_of_population" && BASICS.includes(column);

/** Why no number of an answer holds: too little was learnt, or such people were never seen. */
export const whyNoNumber = ({ reasons = [], status }) =>
  reasons.find(isUnseen) ??
  reasons.find(({ code }) => code === "low_information") ??
  (status === "low_information" ? { code: status } : undefined);

/** Whether a risk is no number to rank or colour by: withheld, or to be read with care. */
export const isOpen = (risk, own) =>
  own.band === "not_assessed" ||
  [risk.status, ...(risk.reasons ?? []).map(({ code }) => code)].some((code) =>
    ["low_information", "out_of_population"].includes(code),
  );

/** Whose number a risk is: "Put together, studies suggest". */
export const suggests = ({ model, risk }) =>
  variant("shared.suggests", risk.base_rate.from_club ? "counted" : model.cohort);

/** Where the size of a driver's effect comes from; empty for how much was measured. */
export const sizeFrom = ({ group, size_from: size }) =>
  group === "tests" ? "" : variant("shared.size_from", size ?? "null");

/** What the risk is of: "New knee pain within 12 months". */
export function outcomeTitle({ outcome_kind: kind, horizon_months: months }) {
  const title = variant("page.outcome.title", kind) ?? text("page.outcome.title.other");
  return title + horizon(months);
}

export const horizon = (months) => (months ? text("page.outcome.horizon", { months }) : "");

export const pattern = (status) => variant("page.pattern.status", status);
export const equipmentName = (code) => variant("page.equipment.name", code) ?? code;
export const grade = (code) => variant("page.grade.name", code) ?? code;
export const statusSentence = (code) => variant("page.status", code);

/** "13 in 100, 90 % interval 8 to 20". */
export const riskInWords = (risk) =>
  text("page.risk.in_words", {
    risk: in100(risk.probability),
    interval: interval(risk.interval),
  });

/** A risk beside the usual one, for those who listen. */
export const riskLabel = (knee, risk, base, sport) =>
  text("page.risk.label", {
    knee: kneeName(knee),
    risk: riskInWords(risk),
    athletes: athletes(sport),
    base: in100(base ?? 0),
  });
