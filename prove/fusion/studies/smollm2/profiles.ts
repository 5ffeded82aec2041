import { z } from 'zod';
import { withoutSharedRuns } from '../../../../examples/zoo/overlap.ts';

/** The kinds of text about a country. */
export const kinds = ['history', 'economy'] as const;
export type Kind = (typeof kinds)[number];

/** What the Factbook says about a country, by kind. */
export type Profile = Readonly<Record<Kind, string>>;

/** By kind: texts to train on, and held-out texts about other countries. */
export type DividedTexts = Readonly<Record<Kind, { readonly corpus: string; readonly heldOut: string }>>;

/** Of this many countries in a row the first is held out, and the next few are trained on. */
const turn = 10;
/** How many of them are trained on: more would only make SmolLM2 score for longer. */
const trainedOn = 5;
/** Fewest characters of a text that says more than "no economic activity". */
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

/** Plus signs separate paragraphs, some of them empty; some sentences end in two spaces. */
const clean = (text: string): string =>
  text
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/(?: ?\+{2,})+ ?/g, '\n\n')
    .trim();

/** Divides countries into those trained on and those held out, the same for each kind. */
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
