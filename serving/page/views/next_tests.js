// The next best tests: what each would add, how long it takes and what it needs.
import { fixed, in100, list } from "../lib/number_format.js";
import { text } from "../lib/texts.js";
import { equipmentName } from "../lib/wording.js";
import { html, nothing } from "../vendor/lit-html.js";

const MAX_TESTS = 4;

export function nextTestCard(answer, draft, actions, texts) {
  const tests = answer.next_tests;
  const isMissing = answer.inputs.some((input) => input.status === "missing");
  if (!tests.length && !isMissing) return nothing;
  const shown = tests.slice(0, MAX_TESTS);
  return html`<section class="card next" id="a-next" aria-labelledby="h-next">
    <div class="card__head"><h2 id="h-next">${text("page.next_test.heading")}</h2></div>
    ${equipmentSwitch(draft, actions)}
    ${
      shown.length
        ? html`<ol>${shown.map((test, i) => testItem(test, i + 1, answer.risk.either, texts))}</ol>`
        : noTest(draft)
    }
  </section>`;
}

const noTest = (draft) =>
  html`<p class="quiet">${
    draft.equipment ? text("page.next_test.none_at_hand") : text("page.next_test.none")
  }</p>`;

function testItem(test, number, either, texts) {
  const sentences = [gain(test), narrowing(test, either), settles(test, texts)].filter(Boolean);
  return html`<li><span class="n" aria-hidden="true">${number}</span><div><h3>${test.label}</h3>
    <p class="num">${sentences.join(" ")}</p>
    <dl class="num">
      <div><dt>${text("page.next_test.time")}</dt>
        <dd>${text("page.next_test.minutes", { minutes: fixed(test.minutes, 0) })}</dd></div>
      <div><dt>${text("page.next_test.needs")}</dt>
        <dd>${equipmentName(test.equipment)}</dd></div></dl></div></li>`;
}

function gain(test) {
  const share = in100(test.uncertainty_removed);
  return share.startsWith("<")
    ? text("page.next_test.gain_below", { share: share.slice(1) })
    : text("page.next_test.gain", { share });
}

/** By how much a test is expected to narrow the interval of either knee; empty where it is not. */
export function narrowing(test, either) {
  if (!either || !test.expected_interval_width) return "";
  const now = Math.round(100 * (either.interval[1] - either.interval[0]));
  const expected = Math.round(100 * test.expected_interval_width);
  return expected < now ? text("page.next_test.narrowing", { now, expected }) : "";
}

function settles(test, texts) {
  if (!test.settles?.length) return "";
  const label = (code) => texts.imbalances.find(({ name }) => name === code)?.label ?? code;
  const patterns = list(test.settles.map(label)).toLowerCase();
  return text("page.next_test.settles", { patterns });
}

/** The switch for what is at hand: it only changes which tests are proposed next. */
function equipmentSwitch(draft, actions) {
  const change = (event) =>
    actions.setDraft("equipment", event.target.checked ? ["tape_or_phone"] : null);
  return html`<label class="pick"><input type="checkbox" .checked=${draft.equipment !== null}
    @change=${change}> ${text("page.next_test.tape_only")}</label>`;
}
