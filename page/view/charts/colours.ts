/** How many colours style/theme.css has for teachers. */
const teacherColours = 6;

export const trainerColour = '--series-trainer';

/** The CSS variable of each teacher's colour, by its place in the run; from the seventh on colours repeat. */
export function coloursOf(teachers: readonly string[]): (teacher: string) => string {
  return (teacher) => `--series-${(Math.max(0, teachers.indexOf(teacher)) % teacherColours) + 1}`;
}

/** Where colours repeat, lines are dashed. */
export const dashOf = (place: number): number[] | undefined => (place < teacherColours ? undefined : [6, 4]);

/** The CSS variable of one of these colours, for lines that belong to no teacher. */
export const colourAt = (place: number): string => `--series-${(place % teacherColours) + 1}`;

/** The value of a CSS variable in the theme that is shown. */
export const cssValue = (variable: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(variable).trim();
