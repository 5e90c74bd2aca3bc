// Folds: headings that say what is behind them, and stay as they were left when the view is redrawn.
import { draw } from "../lib/state.js";
import { html } from "../vendor/lit-html.js";

const isOpen = {};

const phone = matchMedia("(max-width: 720px)");
phone.addEventListener("change", draw);

/** Whether there is one column only, so that reasons wait behind a word. */
export const isPhone = () => phone.matches;

const keep = (id) => (event) => {
  isOpen[id] = event.target.open;
};

/** A part of the answer behind its heading and what it comes to. */
export const fold = (id, title, result, body) =>
  html`<details class="fold" id=${id} ?open=${isOpen[id]} @toggle=${keep(id)}>
    <summary><h2>${title}</h2><span class="num">${result}</span></summary>
    <div class="fold__in">${body}</div></details>`;

/** A reason behind a word, where the screen is small. */
export const aside = (id, title, body) =>
  html`<details class="aside" ?open=${isOpen[id]} @toggle=${keep(id)}>
    <summary>${title}</summary>${body}</details>`;
