// Units as devices show them: what was typed stays as it was typed, and is read in the unit chosen.
// Which units a measure has, and how large they are, the service tells (`units` of /v1/texts).
import { loadUnits, storeUnits } from "./local_storage.js";

/** Paths of what other values are converted with. */
const MASS = "athlete.mass_kg";
const CENTIMETRES = 100;
const DIGITS = 6;

const isFilled = (draft, field) =>
  Object.keys(draft.values).some((path) => path.endsWith(`.${field.name}`));

/**
 * The name of the unit that a field is read in; empty for the measure's own. What was typed keeps
 * the unit it was typed in; an empty field has the one that was chosen last.
 */
export function unitInForce(field, draft) {
  const chosen = draft.units?.[field.name];
  if (chosen !== undefined) return chosen;
  return isFilled(draft, field) ? "" : (loadUnits().chosen[field.name] ?? "");
}

const otherUnit = (field, draft) => {
  const name = unitInForce(field, draft);
  return (field.units ?? []).find(({ unit }) => unit === name) ?? null;
};

/** Read a field in a unit from now on, here and the next time. */
export function chooseUnit(field, name, draft) {
  draft.units = { ...draft.units, [field.name]: name };
  const stored = loadUnits();
  storeUnits({ ...stored, chosen: { ...stored.chosen, [field.name]: name } });
}

/** What is typed now is in the unit that the field shows. */
export function keepUnit(field, draft) {
  draft.units = { ...draft.units, [field.name]: unitInForce(field, draft) };
}

export const leverArm = (draft) => draft.lever ?? loadUnits().lever ?? "";

export function setLeverArm(typed, draft) {
  draft.lever = typed;
  storeUnits({ ...loadUnits(), lever: typed });
}

export const needsLeverArm = (field, draft) => Boolean(otherUnit(field, draft)?.lever_arm);

const positive = (typed) => {
  const number = Number(
    String(typed ?? "")
      .trim()
      .replace(",", "."),
  );
  return number > 0 ? number : null;
};

/** What a number of a field is multiplied by to be in the measure's own unit, or what is missing. */
export function toOwnUnit(field, draft, massField) {
  const unit = otherUnit(field, draft);
  if (!unit) return { factor: 1 };
  let factor = unit.scale;
  if (unit.lever_arm) {
    const lever = positive(leverArm(draft));
    if (!lever) return { missing: "lever" };
    factor *= lever / CENTIMETRES;
  }
  if (unit.per_body_mass) {
    const mass = positive(draft.values[MASS]);
    if (!mass || !massField) return { missing: "mass" };
    factor /= mass * toOwnUnit(massField, draft).factor;
  }
  return { factor };
}

/** A number in the measure's own unit, without the digits that a division makes. */
export const converted = (number, factor) =>
  factor === 1 ? number : Number((number * factor).toPrecision(DIGITS));
