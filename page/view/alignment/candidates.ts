import type { AlignedToken } from '../../../wire/generated/fusemesh/v1/trainer_pb.ts';
import { element, styled } from '../element.ts';
import { percent } from '../format.ts';
import { visible } from './segments.ts';

/**
 * What the target is taught about the token after one of its own.
 *
 * @param text of the token itself
 * @param next text of the token that follows; undefined at the end of the document
 */
export function candidatesOf(
  { candidates }: Pick<AlignedToken, 'candidates'>,
  text: string,
  next: string | undefined,
): HTMLElement[] {
  const heading = element('h3', {}, 'After ', element('code', {}, visible(text)));
  if (next === undefined) return [heading, element('p', { class: 'quiet' }, 'The document ends here.')];
  const follows = element(
    'p',
    { class: 'quiet' },
    'In the text follows ',
    element('code', {}, visible(next)),
  );
  if (candidates.length === 0) {
    const alone = 'Here the text alone teaches: the teacher has no token that ends at this place.';
    return [heading, follows, element('p', {}, alone)];
  }
  const most = Math.max(...candidates.map(({ probability }) => probability));
  const rows = candidates.map(({ text: candidate, probability }) =>
    element(
      'li',
      { class: candidate === next ? 'follows' : undefined },
      element('code', {}, visible(candidate)),
      element(
        'span',
        { class: 'bar', 'aria-hidden': 'true' },
        styled(element('span', {}), { width: `${(100 * probability) / most}%` }),
      ),
      element('span', { class: 'value' }, percent(probability, 1)),
    ),
  );
  return [heading, follows, element('ol', { class: 'candidates' }, ...rows)];
}
