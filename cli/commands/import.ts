import type { Command } from 'commander';
import { importGguf } from '../../model/gguf/import-gguf.ts';
import { runUntilStopped } from '../../process/lifecycle/run-until-stopped.ts';
import { progressBar } from '../progress-bar.ts';

export function addImport(program: Command): void {
  program
    .command('import')
    .argument('<GGUF>', 'the .gguf file of a whole model')
    .argument('<OUTPUT>', 'Hugging Face directory to write; it must be missing or empty')
    .summary('make a Hugging Face directory of a GGUF')
    .description(
      'Makes config.json, tokenizer.json (with the chat template beside it) and model.safetensors of a GGUF, so that ' +
        'its model can teach, be the target, and generate.\n\n' +
        'Architectures: llama (with Mistral), qwen2, qwen3, gpt2, gptneox, mpt. Kinds of weights: F32, F16, BF16, Q8_0, ' +
        'Q4_0, Q4_1, Q5_0, Q5_1, Q2_K to Q6_K, IQ4_NL. Whatever cannot be converted is named before anything is written.\n\n' +
        'Every weight keeps its value to the bit. That takes 4 bytes a parameter where the file is quantised (28 GB for ' +
        '7 billion), 2 where it is F16 or BF16. What quantising has lost is not brought back.',
    )
    .addHelpText(
      'after',
      '\nExample:\n  $ fusemesh import Qwen2.5-0.5B-Instruct-Q4_K_M.gguf models/qwen\n  $ fusemesh generate models/qwen "Once upon a time"',
    )
    .action((gguf: string, output: string) =>
      runUntilStopped(async (signal) => {
        const bar = progressBar('writing {bar} {percentage} %, {eta_formatted} left');
        const { family, parameters, bytes } = await importGguf(gguf, output, {
          signal,
          onProgress: bar.show,
        }).finally(bar.end);
        process.stdout.write(
          `${output}: ${family}, ${(parameters / 1e6).toFixed(1)} million parameters, ${(bytes / 1e9).toFixed(2)} GB\n`,
        );
      }),
    );
}
