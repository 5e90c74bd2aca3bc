// The part of an answer that the squad shows; the whole of it is some 40 kB for each athlete.
import { SIDES, isUnseen, suggests } from "../lib/wording.js";
import { hurtsNow, kneesOf, learnt } from "../views/knee_cards.js";

const NAMED_RANK = { clear: 0, possible: 1 };
const KNEES = [...SIDES, "either"];
/** So many measures are named as the reason of a place. */
const MAX_CAUSES = 2;
/** From so many points of 100 on a measure is named (the rule of `kneerisk.answer.summary`). */
const LEAST_POINTS = 1;

/** What the squad keeps of an answer to a body. */
export function answerSummary(answer, body) {
  const { risk } = answer;
  const knees = kneesOf(risk).filter((knee) => risk[knee]);
  const given = KNEES.filter((knee) => risk[knee]);
  const hasReason = (isIt) => risk.reasons.some(isIt);
  return {
    status: risk.status,
    isLittle: hasReason(({ code }) => code === "low_information"),
    isUnseen: hasReason(isUnseen),
    hurting: SIDES.filter((side) => hurtsNow(answer, side)),
    flags: answer.red_flags.map(({ reason, when, act, urgency }) => ({
      reason,
      when,
      act,
      urgency,
    })),
    wereFlagsAsked: answer.red_flags_status !== "not_asked",
    risks: Object.fromEntries(given.map((knee) => [knee, risk[knee]])),
    baseRates: risk.base_rate,
    learnt: learnt(answer) ?? null,
    suggests: suggests(answer),
    outcomeKind: risk.outcome_kind,
    horizon: risk.horizon_months,
    patterns: namedPatterns(answer.imbalances ?? []),
    nextTests: null,
    modifiablePoints: Object.fromEntries(
      knees.map((knee) => [knee, modifiablePoints(answer, knee)]),
    ),
    causes: causes(answer, body),
    model: answer.model.version,
  };
}

function namedPatterns(imbalances) {
  return imbalances
    .filter(({ status }) => status in NAMED_RANK)
    .sort((a, b) => NAMED_RANK[a.status] - NAMED_RANK[b.status] || b.probability - a.probability)
    .map(({ side, label, probability }) => ({ side, label, probability }));
}

/** The tests to do next, which are asked for once everybody is scored: they take longest. */
export const testsSummary = ({ next_tests: tests }) => tests.map(nextTest);

const nextTest = ({
  test,
  label,
  minutes,
  equipment,
  uncertainty_removed: share,
  worth_the_time: isWorth,
}) => ({
  test,
  label,
  minutes,
  equipment,
  share,
  isWorth,
});

/**
 * The risk points (of 100) of a knee that come from measures that can change and lie on the side
 * that raises the risk; never more than the risk.
 */
function modifiablePoints({ drivers, risk }, knee) {
  const sum = drivers
    .filter((driver) => driver.side === knee && driver.modifiable && driver.points > 0)
    .reduce((total, driver) => total + driver.points, 0);
  return Math.min(sum, 100 * risk[knee].probability);
}

// What raises the risk most: of what can change first, and what can't where nothing else does.
function causes({ drivers }, body) {
  const raising = drivers.filter(
    ({ points, group }) => points >= LEAST_POINTS && group !== "tests",
  );
  const canChange = raising.filter(({ modifiable }) => modifiable);
  const byMeasure = Map.groupBy(canChange.length ? canChange : raising, ({ measure }) => measure);
  return [...byMeasure.values()]
    .map((own) => cause(own, body))
    .sort((a, b) => b.points - a.points)
    .slice(0, MAX_CAUSES);
}

function cause(drivers, body) {
  const [{ measure, label, modifiable, usual, unit }] = drivers;
  const points = drivers.reduce((sum, driver) => sum + driver.points, 0);
  const isOfAthlete = measure in (body.athlete ?? {});
  const sides = SIDES.filter((side) => drivers.some((one) => one.side === side));
  const values = (isOfAthlete ? [null] : sides).map((side) => ({
    side,
    value: valueOf(body, measure, side) ?? null,
  }));
  return { label, canChange: modifiable, points, values, usual: usual ?? null, unit };
}

const valueOf = (body, measure, side) =>
  side ? (body[side]?.[measure] ?? body.pain?.[side]?.[measure]) : body.athlete[measure];
