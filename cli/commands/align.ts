import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { Content } from '../../model/chat/conversation.ts';
import { runUntilStopped } from '../../process/lifecycle/run-until-stopped.ts';
import { beginning, jsonValue } from '../../texts/row.ts';
import { rowContent } from '../../texts/row-content.ts';
import { showAlignment } from '../alignment/show-alignment.ts';
import { progressBar } from '../progress-bar.ts';

interface AlignOptions {
  readonly file?: string;
  readonly chat?: string | true;
  readonly source: string;
  readonly target: string;
  readonly after?: string;
  readonly vocabulary: 'exact' | 'prefix' | 'minED';
}

/** Prose, numbers, code and other scripts: where tokenizers differ. */
const sample =
  'In 2019 the committee met 1,204 times — unbelievably often. She said: "Größe ≠ Gewicht, 東京は雨です." ' +
  'for (let i = 0; i < 10; i++) { total += price[i] * 1.19; }';

export function addAlign(program: Command): void {
  program
    .command('align')
    .argument('[TEXT]', 'the text to cut; left out, a line in which tokenizers differ')
    .option('--file <file>', 'cut the text of this file instead')
    .option(
      '--chat [file]',
      'show how both chat templates read a conversation: a JSON file with messages, or an example',
    )
    .requiredOption(
      '--source <model>',
      'Hugging Face directory of a teacher, or one with its tokenizer.json alone',
    )
    .requiredOption(
      '--target <model>',
      'Hugging Face directory of the target, or one with its tokenizer.json alone',
    )
    .addOption(
      new Option('--vocabulary <map>', 'which target token a source token becomes')
        .choices(['exact', 'prefix', 'minED'])
        .default('prefix'),
    )
    .option('--after <text>', 'what the source says after this beginning of the text, and what becomes of it')
    .summary('show how two tokenizers align')
    .description(
      'Shows two tokenizations of a text one above the other, where they meet, and what share of the vocabulary and ' +
        'of the positions a source can teach. With the weights of the source and --after also what it says at one ' +
        'position, and what the target learns of it.',
    )
    .addHelpText(
      'after',
      '\nExample:\n  $ fusemesh align --source models/orator --target models/target "In 2019 they met." --after "In"' +
        '\n  $ fusemesh align --source models/orator --target models/target --file held-out/speeches.txt' +
        '\n  $ fusemesh align --source models/qwen3 --target models/llama --chat conversation.json',
    )
    .action((given: string | undefined, { file, chat, source, target, after, vocabulary }: AlignOptions) =>
      runUntilStopped(async () => {
        const content =
          chat === undefined ? await textOf(given, file) : await conversationOf(chat, given ?? file);
        refuseOtherBeginning(content, after);
        const width = process.stdout.columns ?? 100;
        const bar = progressBar('mapping {bar} {value}/{total} tokens');
        const onProgress = (done: number, all: number) => (done === all ? bar.end() : bar.show(done, all));
        for await (const line of showAlignment({
          content,
          source,
          target,
          after,
          width,
          vocabulary,
          onProgress,
        })) {
          process.stdout.write(`${line}\n`);
        }
      }),
    );
}

function refuseOtherBeginning(content: Content, after: string | undefined): void {
  if (after === undefined) return;
  if (typeof content !== 'string') {
    throw new FuseMeshError('invalid_argument', '--after is for texts, not for --chat: leave one out');
  }
  if (content.startsWith(after)) return;
  throw new FuseMeshError(
    'invalid_argument',
    `--after "${after}" is not how the text begins: "${content.slice(0, 100)}"`,
  );
}

/**
 * The text to cut. A text that is the name of a file is cut as it stands, and a line on stderr says how the file is
 * read.
 *
 * @throws FuseMeshError not_found when there is no such file, invalid_argument when a text is given too
 */
async function textOf(text: string | undefined, file: string | undefined): Promise<string> {
  if (file === undefined) {
    if (text !== undefined && isFile(text)) {
      process.stderr.write(
        `fusemesh: "${text}" is the name of a file, and cut as a text here: use --file ${text} for what is in it\n`,
      );
    }
    return text ?? sample;
  }
  if (text !== undefined) {
    throw new FuseMeshError('invalid_argument', 'A text and --file are two texts: give one of them');
  }
  return readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new FuseMeshError('not_found', `--file: cannot read ${file} (${cause.code}): correct the path`, {
      cause,
    });
  });
}

const example = [
  { role: 'system', content: 'Answer in one sentence.' },
  { role: 'user', content: 'Where is Lisbon?' },
  { role: 'assistant', content: 'Lisbon lies where the Tagus meets the Atlantic.' },
];

/**
 * The conversation to show.
 *
 * @param other a text that was given too
 * @throws FuseMeshError not_found when there is no such file, invalid_argument when it holds no conversation
 */
async function conversationOf(file: string | true, other: string | undefined): Promise<Content> {
  if (other !== undefined) {
    throw new FuseMeshError('invalid_argument', 'A text and --chat are two contents: give one of them');
  }
  if (file === true) return contentIn({ messages: example }, '--chat');
  const bytes = await readFile(file).catch((cause: NodeJS.ErrnoException) => {
    throw new FuseMeshError('not_found', `--chat: cannot read ${file} (${cause.code}): correct the path`, {
      cause,
    });
  });
  const json = jsonValue(bytes);
  return contentIn('value' in json ? json.value : undefined, file);
}

function contentIn(value: unknown, place: string): Content {
  const row = rowContent({ place, after: beginning, value }, {});
  if ('content' in row && typeof row.content !== 'string') return row.content;
  throw new FuseMeshError(
    'invalid_argument',
    `${place} holds no conversation: make it {"messages": [{"role": "user", "content": "…"}, …]}`,
  );
}

/** A text may be too long to be a name, or hold what no name may: then it is none. */
function isFile(text: string): boolean {
  try {
    return statSync(text).isFile();
  } catch {
    return false;
  }
}
