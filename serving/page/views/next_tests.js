// What to measure next: the one test that is worth the time today, or that none is.
import { pose } from "../lib/icon.js";
import { fixed, in100, inSentence, list, short } from "../lib/number_format.js";
import { text, variant } from "../lib/texts.js";
import { equipmentName } from "../lib/wording.js";
import { html, nothing } from "../vendor/lit-html.js";
import { inPercent, learnt } from "./knee_cards.js";

/** The tests that are worth their time, the one that tells most first. */
export const worthwhile = ({ next_tests: tests }) => tests.filter((test) => test.worth_the_time);

/** The card of the one next test. */
export function nextTestCard(state, actions) {
  const { answer, draft } = state;
  if (!answer.inputs.some((input) => input.status === "missing")) return nothing;
  const [test, after] = worthwhile(answer);
  const title = test
    ? text("page.next_test.title", { test: inSentence(test.label) })
    : nothingWorth(draft);
  return html`<section class=${test ? "card next" : "card next next--none"} id="a-next"
    aria-labelledby="h-next"><h2 id="h-next">${title}</h2>
    ${test ? oneTest(test, after, state) : html`<p class="quiet">${text("page.next_test.none_why")}</p>`}
    ${equipmentSwitch(draft, actions)}</section>`;
}

const nothingWorth = (draft) =>
  draft.equipment ? text("page.next_test.none_at_hand") : text("page.next_test.none");

function oneTest(test, after, { answer, texts, stationOf }) {
  const rows = [
    ["takes", takes(test)],
    ["settles", gain(test, answer)],
    ["helps", settles(test, texts)],
  ].filter(([, content]) => content);
  const then = after
    ? text("page.next_test.then", {
        test: inSentence(after.label),
        minutes: fixed(after.minutes, 0),
      })
    : text("page.next_test.then_nothing");
  return html`${texts.poses.includes(test.test) ? pose(test.test) : nothing}<dl class="num">${rows.map(
    ([name, content]) =>
      html`<div><dt>${variant("page.next_test.row", name)}</dt><dd>${content}</dd></div>`,
  )}</dl>
    <a class="btn btn--main" href=${fieldLink(test, stationOf)}>${text("page.next_test.enter")}</a>
    <p class="small quiet">${then}</p>`;
}

const takes = ({ minutes, equipment }) =>
  text("page.next_test.minutes_and_needs", {
    minutes: fixed(minutes, 0),
    equipment: equipmentName(equipment),
  });

/** How much is settled now, and about how much will be after a test. */
export function gain(test, answer) {
  const now = learnt(answer);
  if (now === undefined)
    return text("page.next_test.gain", { share: in100(test.uncertainty_removed) });
  const then = now + (1 - now) * test.uncertainty_removed;
  return text("page.next_test.now_and_after", { now: inPercent(now), after: inPercent(then) });
}

function settles(test, texts) {
  if (!test.settles?.length) return "";
  const label = (code) => texts.imbalances.find(({ name }) => name === code)?.label ?? code;
  return list(test.settles.map((code) => inSentence(short(label(code)))));
}

// Where a test is entered: the station of the form that has its first measure.
function fieldLink({ measures: [first] }, stationOf) {
  const path = [`athlete.${first}`, `right.${first}`].find((known) => known in stationOf);
  return path ? `#st-${stationOf[path]}` : "#screen";
}

/** The switch for what is at hand: it only changes which tests are proposed next. */
function equipmentSwitch(draft, actions) {
  const change = (event) =>
    actions.setDraft("equipment", event.target.checked ? ["tape_or_phone"] : null);
  return html`<label class="pick"><input type="checkbox" .checked=${draft.equipment !== null}
    @change=${change}> ${text("page.next_test.tape_only")}</label>`;
}
