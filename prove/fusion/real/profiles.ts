import { z } from 'zod';
import { withoutSharedRuns } from '../../../examples/zoo/overlap.ts';

/** The kinds of text about a country. */
export const kinds = ['history', 'economy'] as const;
export type Kind = (typeof kinds)[number];

/** What the Factbook says about a country, by kind. */
export type Profile = Readonly<Record<Kind, string>>;

/** By kind: texts to train on, and others of countries that none of those is about. */
export type DividedTexts = Readonly<Record<Kind, { readonly corpus: string; readonly heldOut: string }>>;

/** Of so many countries in a row the first is held out, and the next few are trained on. */
const turn = 10;
/** More would only let SmolLM2 score for longer. */
const trainedOn = 5;
/** Characters of the shortest text that is more than "no economic activity". */
const shortest = 200;

const textSchema = z.object({ text: z.string() });
const countrySchema = z.object({
  Introduction: z.object({ Background: textSchema }),
  Economy: z.object({ 'Economy - overview': textSchema }),
});

/** Reads a country's file of the package. */
export function parseProfile(json: string): Profile {
  const { Introduction, Economy } = countrySchema.parse(JSON.parse(json));
  return { history: clean(Introduction.Background.text), economy: clean(Economy['Economy - overview'].text) };
}

/** Plus signs stand between paragraphs, and between those that are empty; some sentences end in two spaces. */
const clean = (text: string): string =>
  text
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/(?: ?\+{2,})+ ?/g, '\n\n')
    .trim();

/** Divides countries among those that are trained on and those that are held out, the same ones for each kind. */
export function divideProfiles(profiles: readonly Profile[]): DividedTexts {
  const of = (kind: Kind, isWanted: (place: number) => boolean) => {
    const texts = profiles.filter((_, i) => isWanted(i % turn)).map((profile) => profile[kind]);
    return `${texts.filter((text) => text.length >= shortest).join('\n\n')}\n`;
  };
  const corpusOf = (kind: Kind) => of(kind, (place) => place > 0 && place <= trainedOn);
  const trained = kinds.map(corpusOf).join('\n\n');
  const heldOutOf = (kind: Kind) =>
    withoutSharedRuns(
      of(kind, (place) => place === 0),
      trained,
    );
  const divided = kinds.map((kind) => [kind, { corpus: corpusOf(kind), heldOut: heldOutOf(kind) }]);
  return Object.fromEntries(divided) as DividedTexts;
}
