import type { Command } from 'commander';
import { Generator } from '../../model/generation/generator.ts';
import { runUntilStopped } from '../../process/lifecycle/run-until-stopped.ts';
import { number } from '../option-values.ts';

interface GenerateOptions {
  readonly maxTokens: number;
  readonly temperature: number;
  readonly topP: number;
  readonly stop?: readonly string[];
  readonly seed: number;
  readonly threads: number;
}

export function addGenerate(program: Command): void {
  program
    .command('generate')
    .argument('<MODEL>', 'Hugging Face directory: a target, a fused model, a teacher')
    .argument('<PROMPT>', 'the text to continue, taken as it is')
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
      '\nExample:\n  $ fusemesh generate runs/demo/model "Fellow citizens" --temperature 0.8 --top-p 0.95',
    )
    .action((model: string, prompt: string, options: GenerateOptions) =>
      runUntilStopped((signal) => generate(model, prompt, options, signal)),
    );
}

async function generate(
  model: string,
  prompt: string,
  { stop = [], threads, ...sampling }: GenerateOptions,
  signal: AbortSignal,
): Promise<void> {
  const generator = await Generator.load(model, { threads });
  try {
    for await (const { text } of generator.generate({ prompt, stop, ...sampling }, signal)) {
      process.stdout.write(text);
    }
    process.stdout.write('\n');
  } finally {
    await generator.close();
  }
}
