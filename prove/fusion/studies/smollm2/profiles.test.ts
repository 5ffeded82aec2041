import { expect, test } from 'vitest';
import { sharedRuns } from '../../../../examples/zoo/overlap.ts';
import { divideProfiles, kinds, parseProfile } from './profiles.ts';

const sentence = (country: number) => `People of country${country} fish, those of country${country} farm. `;
const profile = (country: number) => ({
  history: `History of ${sentence(country).repeat(6)}`,
  economy: `Economy of ${sentence(country).repeat(6)}`,
});
const countriesIn = (text: string): string[] => [...new Set(text.match(/country\d+/g))];

test('a country is held out or trained on for all kinds of text, and never both', () => {
  const divided = divideProfiles(Array.from({ length: 30 }, (_, country) => profile(country)));
  for (const kind of kinds) {
    const { corpus, heldOut } = divided[kind];
    expect(countriesIn(heldOut)).toEqual(['country0', 'country10', 'country20']);
    expect(countriesIn(corpus)).toHaveLength(15);
    for (const country of countriesIn(heldOut)) expect(countriesIn(corpus)).not.toContain(country);
    expect(corpus.toLowerCase()).toMatch(new RegExp(`^${kind}`));
  }
});

test('a held-out paragraph that stands in the corpus of any kind is left out, and so is what is no prose', () => {
  const repeated = `The islands were ceded to another power under a treaty of trust and free association.`;
  const first = profile(0);
  const profiles = [
    { history: `${first.history}\n\n${repeated}`, economy: first.economy },
    { history: profile(1).history, economy: `${profile(1).economy}\n\n${repeated}` },
    { history: profile(2).history, economy: 'no economic activity' },
  ];
  const { history, economy } = divideProfiles(profiles);
  expect(history.heldOut.trim()).toBe(first.history.trim());
  expect(economy.corpus).not.toContain('no economic activity');
  expect([...sharedRuns(history.heldOut, economy.corpus)]).toEqual([]);
});

test('reads what the package has of a country, in paragraphs', () => {
  const json = JSON.stringify({
    Introduction: { Background: { text: 'Settled  in 1700. ++ ++ +++ Independent since.' }, Other: 1 },
    Economy: { 'Economy - overview': { text: ' Fish. ' }, GDP: {} },
  });
  expect(parseProfile(json)).toEqual({
    history: 'Settled in 1700.\n\nIndependent since.',
    economy: 'Fish.',
  });
});
