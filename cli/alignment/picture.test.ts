import { expect, test } from 'vitest';
import { alignBySharedBoundaries } from '../../fusion/align/alignment.ts';
import { picture } from './picture.ts';

/** Where the tokens of a text end that is written with bars. */
function endsOf(written: string): Int32Array {
  let end = 0;
  return Int32Array.from(written.split('|'), (token) => {
    end += token.length;
    return end;
  });
}

function drawn(source: string, target: string, width = 80): string[] {
  const [ends, targetEnds] = [endsOf(source), endsOf(target)];
  const tokenLogProbabilities = new Float32Array(ends.length);
  const alignment = alignBySharedBoundaries(targetEnds, { ends, tokenLogProbabilities });
  return picture(source.replaceAll('|', ''), { ends }, { ends: targetEnds }, alignment, width);
}

test('shows where tokens end, and what the source knows at each end of the target', () => {
  expect(drawn('In| |2|0|1|9| they', 'In| |201|9| th|ey')).toEqual([
    'In│·│2│0│1│9│·th ey│',
    '  ● ◆     ● ●   ○  ○',
    'In│·│2 0 1│9│·th│ey│',
  ]);
});

test('breaks lines at the width', () => {
  expect(drawn('ab|cd\n', 'ab|cd|\n', 5)).toEqual(['ab│c', '  ●', 'ab│c', '', 'd ⏎│', ' ○ ○', 'd│⏎│']);
});
