// The part of an answer that the squad shows; the whole of it is some 40 kB for each athlete.
import { SIDES, suggests } from "../lib/wording.js";
import { hurtsNow, kneesOf } from "../views/knee_cards.js";

const NAMED_RANK = { clear: 0, possible: 1 };
const MAX_RAISERS = 2;

export function answerSummary(answer) {
  const { risk } = answer;
  const imbalances = answer.imbalances ?? [];
  const knees = kneesOf(risk).filter((knee) => risk[knee]);
  const byKnee = (content) => Object.fromEntries(knees.map((knee) => [knee, content(knee)]));
  return {
    status: risk.status,
    hurting: SIDES.filter((side) => hurtsNow(answer, side)),
    flags: answer.red_flags.map(({ reason, when, act, urgency }) => ({
      reason,
      when,
      act,
      urgency,
    })),
    wereFlagsAsked: answer.red_flags_status !== "not_asked",
    risks: byKnee((knee) => risk[knee]),
    baseRates: risk.base_rate,
    suggests: suggests(answer),
    outcomeKind: risk.outcome_kind,
    horizon: risk.horizon_months,
    patterns: namedPatterns(imbalances),
    openPatterns: imbalances.filter(({ status }) => status === "cannot_tell").length,
    judgedPatterns: imbalances.length,
    nextTest: nextTest(answer),
    modifiablePoints: byKnee((knee) => modifiablePoints(answer, knee)),
    raisers: largestRaisers(answer.drivers),
    model: answer.model.version,
  };
}

function namedPatterns(imbalances) {
  return imbalances
    .filter(({ status }) => status in NAMED_RANK)
    .sort((a, b) => NAMED_RANK[a.status] - NAMED_RANK[b.status] || b.probability - a.probability)
    .map(({ side, name, label, probability, status }) => ({
      side,
      name,
      label,
      probability,
      status,
    }));
}

function nextTest({ next_tests: [test] }) {
  if (!test) return null;
  const { label, minutes, equipment } = test;
  return { label, minutes, equipment };
}

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

// The measures that most of those points come from, both knees together.
function largestRaisers(drivers) {
  const sums = {};
  for (const { label, points, modifiable } of drivers) {
    if (modifiable && points >= 0.05) sums[label] = (sums[label] ?? 0) + points;
  }
  return Object.entries(sums)
    .sort(([, a], [, b]) => b - a)
    .slice(0, MAX_RAISERS)
    .map(([label]) => label);
}
