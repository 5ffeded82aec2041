/** Scores documents with a source's model, as a teacher of a run does, and says how fast. */

import { loadRunConfig } from '../../process/config/load-config.ts';
import { sourcesOf } from '../../process/config/run-sources.ts';
import { OnnxModel } from '../../services/teacher/backends/onnx-model.ts';
import { isRefused } from '../../services/teacher/teacher-model.ts';
import { distributionToBytes } from '../../wire/codec/distribution-bytes.ts';
import { answerLines } from '../mesh/answer-lines.ts';
import type { ScoredFor, Scoring } from './calibration-request.ts';

const [runFile, name] = process.argv.slice(2);
const config = await loadRunConfig(runFile);
const { topK, topP } = config;
const source = sourcesOf(config).find((each) => each.name === name)!;
const { threads, execution, device, chatTemplate, batchDocuments } = source;
const model = await OnnxModel.load(source.model!, {
  topK,
  threads,
  chatTemplate,
  placement: { provider: execution, device },
});
const { signal } = new AbortController();

await answerLines<Scoring, ScoredFor>(async ({ contents, seconds, withDistributions }) => {
  const distributions: string[] = [];
  let tokens = 0;
  let bytes = 0;
  const began = performance.now();
  const elapsed = () => (performance.now() - began) / 1000;
  for (let begin = 0; elapsed() < seconds || (withDistributions && begin < contents.length); ) {
    const batch = Array.from({ length: batchDocuments }, (_, i) => contents[(begin + i) % contents.length]);
    const outcomes = await model.score(batch, topK, { lane: 'calibration', signal });
    for (const [i, outcome] of outcomes.entries()) {
      if (isRefused(outcome)) throw new Error(outcome.refusal);
      const origin = {
        document: begin + i,
        teacher: name,
        tokenizerFingerprint: model.tokenizer.fingerprint,
      };
      const message = distributionToBytes({ ...outcome, ...origin }, model.card.vocabularySize, topP);
      tokens += outcome.tokenIds.length;
      bytes += message.length;
      if (withDistributions && begin + i < contents.length)
        distributions.push(Buffer.from(message).toString('base64'));
    }
    begin += batchDocuments;
  }
  return { tokensPerSecond: tokens / elapsed(), bytesPerToken: bytes / tokens, distributions };
});
await model.close();
