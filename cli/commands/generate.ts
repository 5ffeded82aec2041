import { join } from 'node:path';
import type { Command } from 'commander';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { ChatTemplate } from '../../model/chat/chat-template.ts';
import { ContentEncoder } from '../../model/chat/content-encoder.ts';
import { type GenerationRequest, Generator } from '../../model/generation/generator.ts';
import { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import { runUntilStopped } from '../../process/lifecycle/run-until-stopped.ts';
import { number } from '../option-values.ts';

interface GenerateOptions {
  readonly maxTokens: number;
  readonly temperature: number;
  readonly topP: number;
  readonly stop?: readonly string[];
  readonly seed: number;
  readonly threads: number;
  readonly chat?: boolean;
  readonly system?: string;
  readonly chatTemplate?: string;
}

export function addGenerate(program: Command): void {
  program
    .command('generate')
    .argument('<MODEL>', 'Hugging Face directory: a target, a fused model, a teacher')
    .argument('<PROMPT>', 'the text to continue, taken as it is; with --chat, what a user says')
    .option('--chat', "answer as an assistant: the prompt is put into the model's chat template")
    .option('--system <text>', 'with --chat: what the system says before')
    .option('--chat-template <file>', "with --chat: a template in Jinja, in the place of the model's own")
    .option('--max-tokens <count>', 'most tokens to generate', number, 128)
    .option('--temperature <value>', '0 takes the most probable token always', number, 0)
    .option('--top-p <mass>', 'draw from the fewest tokens with this much mass', number, 1)
    .option('--stop <text>', 'end before this text (repeatable)', (text: string, texts: string[] = []) => [
      ...texts,
      text,
    ])
    .option('--seed <number>', 'fixes the random choices', number, 0)
    .option('--threads <count>', 'threads of one matrix product', number, 2)
    .summary('let a model continue a text')
    .description('Prints what a model says after a prompt, as it comes. The prompt itself is not repeated.')
    .addHelpText(
      'after',
      '\nExample:\n  $ fusemesh generate runs/demo/model "Fellow citizens" --temperature 0.8 --top-p 0.95' +
        '\n  $ fusemesh generate runs/chat/model "Where is Lisbon?" --chat --system "Answer in one sentence."',
    )
    .action((model: string, prompt: string, options: GenerateOptions) =>
      runUntilStopped((signal) => generate(model, prompt, options, signal)),
    );
}

async function generate(
  model: string,
  text: string,
  { stop = [], threads, chat, system, chatTemplate, ...sampling }: GenerateOptions,
  signal: AbortSignal,
): Promise<void> {
  if (!chat && (system ?? chatTemplate) !== undefined) {
    throw new FuseMeshError('invalid_argument', '--system and --chat-template go with --chat: add it');
  }
  const prompt = chat ? await chatPrompt(model, { text, system, chatTemplate }) : { prompt: text };
  const generator = await Generator.load(model, { threads });
  try {
    for await (const { text } of generator.generate({ ...prompt, stop, ...sampling }, signal)) {
      process.stdout.write(text);
    }
    process.stdout.write('\n');
  } finally {
    await generator.close();
  }
}

/** What the model goes on with as an assistant, and where its answer ends. */
async function chatPrompt(
  model: string,
  {
    text,
    system,
    chatTemplate,
  }: {
    readonly text: string;
    readonly system: string | undefined;
    readonly chatTemplate: string | undefined;
  },
): Promise<Pick<GenerationRequest, 'prompt' | 'rendered' | 'endOfTurn'>> {
  const template = await ChatTemplate.fromDirectory(model, chatTemplate);
  const tokenizer = await Tokenizer.fromFile(join(model, 'tokenizer.json'));
  const messages = [
    ...(system === undefined ? [] : [{ role: 'system', content: system }]),
    { role: 'user', content: text },
  ];
  return {
    prompt: template.render(messages, { addGenerationPrompt: true, date: new Date() }),
    rendered: template.format.template !== '',
    endOfTurn: await new ContentEncoder(tokenizer, template).endOfTurn(),
  };
}
