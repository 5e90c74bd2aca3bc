// The icons that the page's HTML defines once, by name.
import { html } from "../vendor/lit-html.js";

/** An icon that only decorates: those who listen get the words beside it. */
export const icon = (name, size) =>
  html`<svg width=${size} height=${size} aria-hidden="true"><use href=${`#i-${name}`}></use></svg>`;

/** How an exercise or a test is done, drawn; its name stands beside it. */
export const pose = (name) =>
  html`<svg class="pose" viewBox="0 0 200 150" aria-hidden="true">
    <use href=${`/page/poses.svg#${name}`}></use></svg>`;
