// What drives each risk: points that add up from the typical athlete's risk to this one's.
import { html, nothing } from "./vendor/lit-html.js";
import { pushBar } from "./charts.js";
import { knees } from "./knees.js";
import { SIDE, points, typicalOne } from "./words.js";

/** Fewer than so many points are told together. */
const SMALL = 0.15;

export function drivers(answer, sport) {
  const shown = knees(answer.risk).filter((knee) => answer.risk[knee] && answer.drivers.some((d) => d.side === knee));
  if (!shown.length) return nothing;
  const all = answer.drivers.map((d) => d.points);
  const least = Math.min(0, ...all), most = Math.max(0, ...all);
  return html`<section class="section" id="a-drivers" aria-labelledby="h-drv">
    <h2 id="h-drv">What drives the risk</h2>
    <p>Risk points, in 100, between ${typicalOne(sport)} who is typical in everything and this athlete. They add up. A driver is an association in the model; it is not shown that changing it changes the risk by as much.</p>
    <div class="two">${shown.map((knee) => chart(answer, knee, sport, least, most))}</div>
  </section>`;
}

function chart(answer, knee, sport, least, most) {
  const own = answer.drivers.filter((d) => d.side === knee), risk = answer.risk[knee];
  const parts = [["Can change", own.filter((d) => d.modifiable)], ["Fixed", own.filter((d) => !d.modifiable)]];
  const sum = (list) => list.reduce((total, d) => total + d.points, 0);
  const start = 100 * (risk.typical_probability ?? risk.probability - sum(own) / 100);
  return html`<section class="card num" aria-labelledby=${`h-drv-${knee}`}><h3 id=${`h-drv-${knee}`}>${SIDE[knee]} knee</h3>
    ${parts.map(([title, list]) => (list.length ? html`<p class="drv__g"><span>${title}</span><span>${points(sum(list))}</span></p>
      <ul class="drv">${bars(list, least, most)}</ul>` : nothing))}
    <p class="sum"><span>${sentence(typicalOne(sport))} <b>${start.toFixed(1)}</b></span>${parts.filter(([, l]) => l.length).map(([title, list]) => html`<span>${title.toLowerCase()} <b>${points(sum(list))}</b></span>`)}<span>= ${knee} knee <b>${(100 * risk.probability).toFixed(1)}</b></span></p>
  </section>`;
}

function bars(list, least, most) {
  const sorted = [...list].sort((a, b) => Math.abs(b.points) - Math.abs(a.points));
  const shown = sorted.filter((d) => Math.abs(d.points) >= SMALL), rest = sorted.filter((d) => Math.abs(d.points) < SMALL);
  const together = rest.reduce((sum, d) => sum + d.points, 0);
  return html`${shown.map((d) => html`<li><span>${d.label}<small>${d.group === "tests" ? "how much was measured" : d.group}</small></span>${pushBar(d.points, least, most)}<b>${points(d.points)}</b></li>`)}
    ${rest.length ? html`<li class="quiet"><span>${rest.length === 1 ? rest[0].label : html`${rest.length} with hardly any effect<small>${rest.map((d) => d.label.toLowerCase()).join("; ")}</small>`}</span>${pushBar(together, least, most)}<b>${points(together)}</b></li>` : nothing}`;
}

const sentence = (text) => text[0].toUpperCase() + text.slice(1);
