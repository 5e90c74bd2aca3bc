// What can be at hand, by the name it is chosen by: tests and fields are those that it allows.
export const EQUIPMENT_SETS = {
  club: ["none", "tape_or_phone", "dynamometer"],
  tape: ["none", "tape_or_phone"],
  all: null,
};
