// Why an interval is as wide as it is, what the numbers count, and the same risk as people.
import { capitalized, in100, interval } from "../lib/number_format.js";
import { text, variant } from "../lib/texts.js";
import * as wording from "../lib/wording.js";
import { html, nothing } from "../vendor/lit-html.js";
import { beyondAxis, dots, widthBar } from "./charts.js";
import { fold } from "./folds.js";
import { highestKnee, inPercent, kneesOf, knownKnees } from "./knee_cards.js";

const sourceName = (source) => variant("shared.interval_from", source);

/** The fold about the interval of the knee that is most at risk, and the other one's. */
export function intervalFold(answer, sport) {
  const knees = knownKnees(answer);
  if (!knees.length) return withheldFold(answer);
  const highest = answer.risk[highestKnee(answer)];
  const title = text("page.risk.width", { interval: interval(highest.interval) });
  const body = html`<div class="two">${knees.map((knee) => kneePart(answer, knee, sport))}</div>
    ${aboutTheNumbers(answer, sport)}`;
  return fold("a-why", title, sharesLine(answer), body);
}

// The largest sources first: "what counts as pain 56 %, tests not done 26 %".
function sharesLine(answer) {
  const knee = highestKnee(answer);
  const { interval_from: from } = answer.risk[knee];
  if (!from) return wording.outcomeTitle(answer.risk);
  const shares = Object.entries(from)
    .sort(([, a], [, b]) => b - a)
    .map(([source, share]) =>
      text("page.risk.width_spoken", { source: sourceName(source), share: inPercent(share) }),
    );
  const name = knee === "either" ? "" : wording.kneeName(knee);
  const line = shares.join(" · ");
  return name ? text("page.titled", { title: name, name: line }) : line;
}

function kneePart(answer, knee, sport) {
  const risk = answer.risk[knee];
  const isCalm = !wording.isRaised(risk.band) || wording.isOpen(answer.risk, risk);
  return html`<section class="sources" aria-labelledby=${`h-why-${knee}`}>
    <h3 id=${`h-why-${knee}`}>${wording.kneeName(knee)},
      ${text("page.risk.interval", { interval: interval(risk.interval) })}</h3>
    ${widthSources(risk)}
    <figure class="dots">${dots(risk, isCalm)}
      <figcaption>${dotsCaption(answer, knee, sport)} ${beyondAxis(risk)}</figcaption></figure>
  </section>`;
}

// Where the width of the interval comes from: a bar, and its parts by name.
function widthSources(risk) {
  if (!risk.interval_from) return nothing;
  const parts = Object.entries(risk.interval_from);
  const spoken = parts.map(([source, share]) =>
    text("page.risk.width_spoken", { source: sourceName(source), share: inPercent(share) }),
  );
  const settled = text("page.risk.settled", { share: inPercent(risk.information) });
  const item = ([source, share]) =>
    html`<li><svg class="sw-w"><rect class=${`w-${source}`} width="100%" height="100%"></rect></svg>
      ${sourceName(source)} <b>${text("page.risk.share", { share: inPercent(share) })}</b></li>`;
  return html`<div class="from num">${widthBar(parts, spoken.join(", "))}
    <ul aria-hidden="true">${parts.map(item)}</ul><p class="small quiet">${settled}</p></div>`;
}

function dotsCaption(answer, knee, sport) {
  const { outcome_kind: kind, horizon_months: months } = answer.risk;
  const values = { knee: wording.theKnee(knee), horizon: wording.horizon(months) };
  const outcome =
    variant("page.outcome.of_knee", kind, values) ?? text("page.outcome.of_knee.other", values);
  const [low, high] = answer.risk[knee].interval.map(in100);
  const count = in100(answer.risk[knee].probability);
  const athletes = wording.athletes(sport);
  return text("page.risk.dots_caption", { athletes, count, outcome, low, high });
}

/** What the numbers of both knees are of, and what holds for their intervals. */
function aboutTheNumbers({ risk }, sport) {
  const who = text("page.risk.in_general", { athletes: capitalized(wording.athletes(sport)) });
  const items = [
    [who, baseRates(risk.base_rate)],
    [text("page.risk.outcome"), wording.outcomeTitle(risk)],
    ...aboutTheInterval(risk),
  ];
  return html`<dl class="about num">${items.map(
    ([name, content]) => html`<div><dt>${name}</dt><dd>${content}</dd></div>`,
  )}</dl>`;
}

// What holds for the intervals of both knees, where the model can say where they come from.
function aboutTheInterval(risk) {
  if (![risk.right, risk.left, risk.either].some((own) => own?.interval_from)) return [];
  const { from_club: isFromClub, rests_on: restsOn } = risk.base_rate;
  const added = isFromClub ? text("shared.base_rate.from_club") : restsOn;
  const counts = [text("shared.base_rate.counts"), added].filter(Boolean).join(" ");
  const coverage = isFromClub ? text("shared.coverage.counted") : text("shared.coverage.plain");
  return [
    [text("page.risk.counts"), counts],
    [text("page.risk.coverage"), coverage],
    [text("page.risk.narrowing"), text("shared.narrowing.who")],
  ];
}

function baseRates({ leg, either }) {
  const perKnee = text("page.risk.per_knee", { count: in100(leg ?? 0) });
  const eitherKnee = text("page.risk.either_knee", { count: in100(either ?? 0) });
  if (either === undefined || either === null) return leg ? perKnee : nothing;
  if (leg === undefined || leg === null) return eitherKnee;
  return html`${perKnee} · ${eitherKnee}`;
}

// Where no number holds: why, and what the model would have said, in words that nobody acts on.
function withheldFold(answer) {
  const { risk } = answer;
  const why = wording.whyNoNumber(risk);
  if (!why) return nothing;
  const knees = kneesOf(risk).filter((knee) => risk[knee]);
  const computed = knees.map((knee) =>
    text("page.withheld.knee", {
      knee: wording.theKnee(knee),
      count: in100(risk[knee].probability),
      interval: interval(risk[knee].interval),
    }),
  );
  const body = html`<p>${variant("page.withheld.reason", why.code)}</p>
    <p class="quiet">${text("page.withheld.computed", { knees: computed.join("; ") })}</p>`;
  const title = text("page.withheld.heading");
  return fold("a-why", title, variant("page.withheld.result", why.code), body);
}
