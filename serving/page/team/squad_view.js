// The squad: how far it is scored, what is shown of it, in which order, and who stands before it.
import { EQUIPMENT_SETS } from "../lib/equipment.js";
import { icon } from "../lib/icon.js";
import { capitalized, choice, in100, list } from "../lib/number_format.js";
import { plural, text, variant } from "../lib/texts.js";
import { athletes as members, outcomeTitle } from "../lib/wording.js";
import { html, nothing } from "../vendor/lit-html.js";
import { nextForAllCard } from "./next_for_all.js";
import { filtered, groupOf, SORT_KEYS, sportOf } from "./squad_order.js";
import { lacksTests } from "./squad_state.js";
import { squadTable } from "./squad_table.js";
import { groupName, STATUS_GROUPS } from "./status_words.js";

const MAX_CAPACITY = 99;

export function squadCard(state, actions) {
  const { team } = state;
  const shown = filtered(team);
  const isAtWork = team.isBusy || team.isAskingTests;
  const none = () => html`<p class="quiet">${text("page.squad.nobody")}</p>`;
  const notStored = () => html`<p class="small quiet">${text("page.squad.not_stored")}</p>`;
  return html`${nextForAllCard(team, equipmentMenu(team, actions))}
  <section class="card squadcard" aria-labelledby="h-squad">
    <h2 id="h-squad">${text("page.squad.heading")}</h2>
    <p class="quiet order">${orderInWords(team, shown)}</p>
    ${progress(team, actions)} ${controls(team, actions)} ${flagsNotAsked(team)}
    ${team.isBusy ? nothing : beforeAll(shown, actions)}
    ${shown.length ? squadTable(shown, team, actions) : none()}
    <p class="small quiet about">${scaleLine(team)} ${explanation(team, shown)}</p>
    <div class="acts">
      ${button(text("page.squad.export_excel"), actions.downloadExcel, isAtWork)}
      ${button(text("page.squad.export"), actions.downloadCsv, isAtWork)}
      ${button(text("page.squad.print"), actions.print)}
      ${team.isSheetOpen ? nothing : sheetButton(team, actions)}</div>
    ${team.isStored ? nothing : notStored()}
  </section>`;
}

const button = (words, action, isDisabled = false) =>
  html`<button class="btn" type="button" ?disabled=${isDisabled} @click=${action}>
    ${words}</button>`;

const sheetButton = (team, actions) =>
  button(team.sheet ? text("page.squad.sheet_again") : text("page.squad.another_sheet"), () =>
    actions.toggle("isSheetOpen"),
  );

function scaleLine({ athletes }) {
  const scored = athletes.find(({ summary }) => summary?.suggests);
  if (!scored) return "";
  const { outcomeKind, horizon, suggests, baseRates } = scored.summary;
  const outcome = outcomeTitle({ outcome_kind: outcomeKind, horizon_months: horizon });
  const usual =
    sportsOf(athletes).length > 1
      ? text("page.squad.usual_in_sport")
      : text("page.squad.usual_of", {
          usual: in100(baseRates.leg ?? baseRates.either ?? 0),
          athletes: members(sportOf(scored)),
        });
  const restsOn =
    baseRates.rests_on && sportsOf(athletes).length === 1 ? ` ${baseRates.rests_on}` : "";
  return text("page.squad.scale", { outcome, suggests, usual }) + restsOn;
}

const sportsOf = (athletes) => [...new Set(athletes.map(sportOf))].filter(Boolean).sort();

// What the list is ordered by, who stands before it, and who is not in it.
function orderInWords(team, shown) {
  if (team.isBusy) return text("page.squad.ordered.busy");
  const key = variant("page.squad.ordered", team.sortKey);
  const isUsual = team.isDescending === SORT_KEYS[team.sortKey].isDescending;
  const order = isUsual ? key : text("page.squad.ordered.reversed", { order: key });
  const others = shown.filter((one) => !["refer", "ranked"].includes(groupOf(one))).length;
  const rest = others ? plural("page.squad.ordered.rest", others) : "";
  return `${order} ${text("page.squad.ordered.ties")} ${rest}`;
}

// Red flags stand before the order, by name.
function beforeAll(shown, actions) {
  const referred = shown.filter((athlete) => groupOf(athlete) === "refer");
  if (!referred.length) return nothing;
  const line = (athlete) => {
    const { flags } = athlete.summary;
    const reasons = capitalized(list(flags.map(({ reason }) => reason)));
    const open = (event) => {
      event.preventDefault();
      actions.openAthlete(athlete.id);
    };
    return html`<li>${icon("flag", 18)}<span><a href="#answer" @click=${open}>${athlete.name}</a>.
      ${reasons}. <b>${text("page.referral.short", { when: flags[0].when })}</b>${text("page.squad.no_number_shown")}</span></li>`;
  };
  return html`<div class="before"><h3>${text("page.squad.before")}</h3>
    <ul>${referred.map(line)}</ul></div>`;
}

// First everybody is scored, then the tests to do next are worked out.
function progress(team, actions) {
  const { athletes } = team;
  const due = athletes.filter(({ isDue }) => isDue).length;
  const without = due || athletes.filter(lacksTests).length;
  if (!without) return nothing;
  if (!team.isBusy && !team.isAskingTests) {
    const label = due
      ? plural("page.squad.not_scored_yet", due)
      : plural("page.squad.tests.not_yet", without);
    return html`<div class="going"><p>${label}</p>
      ${button(text("page.squad.continue"), actions.continueScoring)}</div>`;
  }
  const all = athletes.length;
  const done = all - without;
  const label = due
    ? text("page.squad.scoring", { done, all })
    : text("page.squad.tests.going", { done, all });
  return html`<div class="going"><label for="t-going">${label}</label>
    <progress id="t-going" max=${all} value=${done}></progress>
    ${button(text("page.squad.stop"), actions.stopScoring)}</div>`;
}

// -- what is shown ---------------------------------------------------------------------------

const controls = (team, actions) =>
  html`<div class="filters" role="group" aria-label=${text("page.squad.filters")}>
    ${capacityInput(team, actions)} ${orderMenu(team, actions)} ${sportMenu(team, actions)}
    ${statusMenu(team, actions)}</div>`;

function capacityInput(team, actions) {
  const change = (event) => {
    const count = Math.round(Number(event.target.value)) || 0;
    actions.setFilter("capacity", Math.min(Math.max(count, 0), MAX_CAPACITY));
    actions.sortBy("priority", true);
  };
  return html`<label class="see">${text("page.squad.capacity")}<input type="number"
    inputmode="numeric" min="0" max=${MAX_CAPACITY} .value=${String(team.capacity)}
    @change=${change}></label>`;
}

const menu = (label, change, options, { kind = "", isDisabled = false } = {}) =>
  html`<label class=${kind || nothing}>${label}<select ?disabled=${isDisabled}
    @change=${(event) => change(event.target.value)}>${options}</select></label>`;

const option = (code, words, isSelected) =>
  html`<option value=${code} ?selected=${isSelected}>${words}</option>`;

// Each order in its usual direction; the current one in its own direction too.
function orderMenu(team, actions) {
  const code = (key, isDescending) => `${key} ${isDescending ? "falling" : "rising"}`;
  const current = code(team.sortKey, team.isDescending);
  const options = Object.entries(SORT_KEYS).flatMap(([key, { isDescending }]) => {
    const title = variant("page.squad.column", key);
    const usual = option(code(key, isDescending), title, current === code(key, isDescending));
    if (key !== team.sortKey || isDescending === team.isDescending) return [usual];
    const reversed = text("page.squad.reversed", { title });
    return [option(current, reversed, true), usual];
  });
  const change = (chosen) => {
    const [key, direction] = chosen.split(" ");
    actions.sortBy(key, direction === "falling");
  };
  return menu(text("page.squad.order"), change, options, { kind: "orders" });
}

const counted = (name, count) => text("page.squad.counted", { name, count });

function sportMenu(team, actions) {
  const sports = sportsOf(team.athletes);
  const count = (sport) => team.athletes.filter((athlete) => sportOf(athlete) === sport).length;
  const options = [
    option("", text("page.squad.all"), !team.sport),
    ...sports.map((sport) =>
      option(sport, counted(choice(sport), count(sport)), team.sport === sport),
    ),
  ];
  return menu(text("page.squad.sport"), (sport) => actions.setFilter("sport", sport), options);
}

const countGroup = (athletes, group) =>
  athletes.filter((athlete) => groupOf(athlete) === group && !athlete.isDue).length;

function statusMenu(team, actions) {
  const { athletes } = team;
  const groups = STATUS_GROUPS.filter((group) => countGroup(athletes, group));
  const options = [
    option("", text("page.squad.all_count", { count: athletes.length }), !team.status),
    ...groups.map((group) => {
      const words = counted(groupName(group), countGroup(athletes, group));
      return option(group, words, team.status === group);
    }),
  ];
  if (athletes.some(({ summary }) => summary?.status === "out_of_population")) {
    options.push(option("outside", text("page.squad.outside"), team.status === "outside"));
  }
  return menu(text("page.squad.status"), (status) => actions.setFilter("status", status), options);
}

function equipmentMenu(team, actions) {
  const options = Object.keys(EQUIPMENT_SETS).map((name) =>
    option(name, variant("page.squad.equipment", name), team.equipmentSet === name),
  );
  const label = text("page.squad.at_hand");
  return menu(label, actions.setEquipment, options, { isDisabled: team.isBusy });
}

function flagsNotAsked({ athletes }) {
  const count = athletes.filter(({ summary }) => summary && !summary.wereFlagsAsked).length;
  if (!count) return nothing;
  const title =
    count === athletes.length
      ? text("page.red_flags.title.not_asked")
      : text("page.squad.some_not_asked", { count });
  return html`<p class="asknote">${icon("flag", 20)}<span><b>${title}</b>
    ${text("page.squad.ask_first")}</span></p>`;
}

function explanation({ athletes }, shown) {
  const groups = STATUS_GROUPS.map((group) => [group, countGroup(shown, group)])
    .filter(([, count]) => count)
    .map(([group, count]) =>
      text("page.squad.count_of", { count, group: groupName(group).toLowerCase() }),
    );
  const counts = text("page.squad.shown", {
    count: shown.length,
    all: athletes.length,
    groups: list(groups),
  });
  return `${text("page.squad.priority_explanation")} ${counts}`;
}
