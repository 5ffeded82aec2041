import colors from 'picocolors';
import { alignColumns } from '../view/table.ts';
import type { ChoiceAccuracy } from './choice-accuracy.ts';
import type { ModelEvaluation } from './evaluate-model.ts';
import type { TextEvaluation } from './text-evaluation.ts';

/** An evaluation as tables: one of texts, with a total where there are several, and one of questions. */
export function evaluationTables(
  { texts, total, choices }: ModelEvaluation,
  paint: Pick<typeof colors, 'bold'> = colors,
): string {
  const table = ([heading, ...rows]: readonly (readonly string[])[]) => {
    const [titles, ...cells] = alignColumns([heading, ...rows]);
    return [paint.bold(titles.join('  ')), ...cells.map((row) => row.join('  '))].join('\n');
  };
  const tables: string[] = [];
  if (total) tables.push(table(textRows(texts.length > 1 ? [...texts, total] : texts)));
  if (choices) tables.push(table(choiceRows(choices)));
  return tables.join('\n\n');
}

const textRows = (texts: readonly TextEvaluation[]): string[][] => [
  ['held-out text', 'bits per byte', 'nats per token', 'perplexity', 'tokens', 'bytes'],
  ...texts.map(({ name, bitsPerByte, natsPerToken, perplexity, tokens, bytes }) => [
    name,
    bitsPerByte.toFixed(4),
    natsPerToken.toFixed(4),
    perplexity.toFixed(2),
    tokens.toLocaleString('en-US'),
    bytes.toLocaleString('en-US'),
  ]),
];

function choiceRows(choices: { readonly path: string } & ChoiceAccuracy): string[][] {
  const error = (value: number | null) => (value === null ? '–' : value.toFixed(4));
  return [
    ['multiple choice', 'questions', 'acc', '± error', 'acc_norm', '± error'],
    [
      choices.path,
      choices.questions.toLocaleString('en-US'),
      choices.acc.toFixed(4),
      error(choices.accStandardError),
      choices.accNorm.toFixed(4),
      error(choices.accNormStandardError),
    ],
  ];
}
