// The icons that the page's HTML defines once, by name.
import { html } from "../vendor/lit-html.js";

/** An icon that only decorates: those who listen get the words beside it. */
export const icon = (name, size) =>
  html`<svg width=${size} height=${size} aria-hidden="true"><use href=${`#i-${name}`}></use></svg>`;
