import type { Conversation } from '../../model/chat/conversation.ts';
import { learntLoss } from '../../model/chat/learnt-loss.ts';
import { Generator } from '../../model/generation/generator.ts';
import { Scorer } from '../../model/scoring/scorer.ts';
import { encoderIn } from '../../services/feeder/encoders-of-run.ts';

const atOnce = 16;

/** How far a model is from its teacher on what it writes itself. */
export interface OwnText {
  /** Estimate of KL(model ‖ teacher), in nats a token of the model. */
  readonly divergence: number;
  /** How many tokens it is of. */
  readonly tokens: number;
}

/**
 * Has a model go on with prompts at temperature 1, and compares what it and its teacher give to what it wrote: the mean
 * of log model − log teacher, which is KL(model ‖ teacher) in expectation, whatever the two tokenizers are.
 *
 * @param model Hugging Face directory, as is `teacher`
 * @param seed of the first text; the others follow
 */
export async function divergenceOnOwnText(
  model: string,
  teacher: string,
  {
    prompts,
    maxTokens,
    seed,
  }: { readonly prompts: readonly string[]; readonly maxTokens: number; readonly seed: number },
): Promise<OwnText> {
  const generator = await Generator.load(model, { threads: 1, slots: atOnce });
  const judge = await Scorer.load(teacher, { topK: 1, threads: 1 });
  const encoder = await encoderIn(teacher);
  const sum = { logRatio: 0, tokens: 0 };
  try {
    for (let begin = 0; begin < prompts.length; begin += atOnce) {
      const some = prompts.slice(begin, begin + atOnce);
      const texts = await Promise.all(
        some.map((prompt, i) => goOn(generator, prompt, { maxTokens, seed: seed + begin + i })),
      );
      const contents = texts.map(({ content }) => content);
      const scored = await judge.score(contents, 1);
      const read = await encoder.encodeBatch(contents);
      for (const [i, { content, tokens, logProbability }] of texts.entries()) {
        const nats = scored[i].tokenLogProbabilities.map((value) => -value);
        sum.logRatio += logProbability + learntLoss(content, read[i], nats).crossEntropy;
        sum.tokens += tokens;
      }
    }
  } finally {
    await generator.close();
    await judge.close();
  }
  return { divergence: sum.logRatio / sum.tokens, tokens: sum.tokens };
}

async function goOn(
  generator: Generator,
  prompt: string,
  { maxTokens, seed }: { readonly maxTokens: number; readonly seed: number },
): Promise<{ content: Conversation; tokens: number; logProbability: number }> {
  const sampling = { temperature: 1, topP: 1, seed };
  let [text, tokens, logProbability, unfinished] = ['', 0, 0, false];
  for await (const piece of generator.generate({
    prompt,
    maxTokens,
    stop: [],
    logProbabilities: 0,
    ...sampling,
  })) {
    text += piece.text;
    tokens = piece.tokens;
    logProbability += piece.token.logProbability ?? 0;
    unfinished = piece.finishReason === 'length';
  }
  const turn = { role: '', extras: '' };
  const turns = [
    { ...turn, content: prompt, learnt: false },
    { ...turn, content: text, learnt: true, unfinished },
  ];
  return { content: { turns, tools: '' }, tokens, logProbability };
}
