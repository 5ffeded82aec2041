/** How many colours style/theme.css has for teachers. */
const teacherColours = 6;

export const trainerColour = '--series-trainer';

/** The CSS variable of each teacher's colour, by its place in the run; beyond six they begin again. */
export function coloursOf(teachers: readonly string[]): (teacher: string) => string {
  return (teacher) => `--series-${(Math.max(0, teachers.indexOf(teacher)) % teacherColours) + 1}`;
}

/** Lines of colours that come a second time are dashed. */
export const dashOf = (place: number): number[] | undefined => (place < teacherColours ? undefined : [6, 4]);

/** The CSS variable of the colour at a place, for what is no teacher. */
export const colourAt = (place: number): string => `--series-${(place % teacherColours) + 1}`;

/** The value of a CSS variable in the theme that is shown. */
export const cssValue = (variable: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(variable).trim();
