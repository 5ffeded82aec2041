import type { Command } from 'commander';
import { runUntilStopped } from '../../process/lifecycle/run-until-stopped.ts';
import { evaluateModel } from '../evaluation/evaluate-model.ts';
import { evaluationTables } from '../evaluation/evaluation-report.ts';
import { count } from '../option-values.ts';
import { progressBar } from '../progress-bar.ts';

interface EvalOptions {
  readonly choices?: string;
  readonly chat?: true;
  readonly chatTemplate?: string;
  readonly delimiter?: string;
  readonly contextLength?: number;
  readonly threads: number;
  readonly json?: true;
}

export function addEval(program: Command): void {
  program
    .command('eval')
    .argument('<MODEL>', 'Hugging Face directory, or an exported .onnx file')
    .argument(
      '[TEXT...]',
      'held-out texts or conversations: .parquet, .jsonl, .json or .txt files, or directories of them',
    )
    .option('--choices <file>', 'questions with several choices, one JSON object a line')
    .option(
      '--chat',
      "with --choices: the context is what a user says in the model's chat template, and choices are answers",
    )
    .option('--chat-template <file>', "a template in Jinja, in the place of the model's own")
    .option(
      '--delimiter <text>',
      'what stands between a context and its choices (default: a space; with --chat nothing)',
    )
    .option(
      '--context-length <count>',
      'most tokens at once (default: as many as the model takes, 2048 at most)',
      count,
    )
    .option('--threads <count>', 'threads of one matrix product', count, 2)
    .option('--json', 'print one JSON object instead of the tables')
    .summary('loss of one model on texts, accuracy on questions')
    .description(
      'Prints how well a model predicts each held-out text: bits per byte, which can be compared between models ' +
        'with different tokenizers, and nats and perplexity per token, which cannot. Of a conversation, which is read ' +
        "by the model's chat template, what assistants say counts.\n\n" +
        'With --choices also how often it finds the right answer most probable: acc and acc_norm as ' +
        'lm-evaluation-harness has them, with --chat as by its --apply_chat_template. A line has a context (query, question, context or ctx; taken as it is), ' +
        'choices (or endings) and the answer (gold, answer, label or answerKey), as an index or a label:\n' +
        '  {"query": "The cat sat on the", "choices": ["mat.", "sky."], "gold": 0}',
    )
    .addHelpText(
      'after',
      '\nExample:\n  $ fusemesh eval runs/demo/model examples/zoo/held-out/speeches.txt examples/zoo/held-out/fiction.txt' +
        '\n  $ fusemesh eval models/orator --choices questions.jsonl --json',
    )
    .action((model: string, texts: string[], { json, ...options }: EvalOptions) =>
      runUntilStopped(async (signal) => {
        const bar = progressBar('evaluating {bar} {value}/{total}, {eta_formatted} left');
        const evaluation = await evaluateModel(
          { model, texts, ...options },
          { signal, onProgress: bar.show },
        ).finally(bar.end);
        process.stdout.write(`${json ? JSON.stringify(evaluation) : evaluationTables(evaluation)}\n`);
      }),
    );
}
