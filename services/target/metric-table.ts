import { counter, gauge, histogram } from '../../process/metrics/metric.ts';

const named = (name: string) => `fusemesh_target_${name}`;
const seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** A target service's metrics. */
export const targetTable = {
  weightsStep: gauge(named('weights_step'), 'Training step of the weights that new calls are answered by.'),
  weightSwaps: counter(named('weight_swaps_total'), 'Times that new weights were taken while serving.'),
  weightSwapSeconds: histogram(
    named('weight_swap_seconds'),
    'Wall time to load new weights while others are served.',
    seconds,
  ),
  tokensGenerated: counter(named('tokens_generated_total'), 'Tokens written, those that end texts included.'),
  promptTokens: counter(named('prompt_tokens_total'), 'Tokens of the prompts that answers were begun for.'),
  answers: counter(
    named('answers_total'),
    'Answers written, by how they ended: stop, length, cancelled by the caller, or failed.',
    ['end'],
  ),
  answersInProgress: gauge(named('answers_in_progress'), 'Answers that are written now.'),
  answersQueued: gauge(
    named('answers_queued'),
    'Answers that wait: for one of the slots, or for weights of the step that was asked for.',
    ['reason'],
  ),
  firstTokenSeconds: histogram(
    named('first_token_seconds'),
    'Time from the call to the first token, waiting for a slot included, for weights left out.',
    seconds,
  ),
  answerSeconds: histogram(
    named('answer_seconds'),
    'Time from the first token of an answer to its last.',
    seconds,
  ),
  httpRequests: counter(
    named('http_requests_total'),
    'Requests to the OpenAI-compatible front, by endpoint and HTTP status.',
    ['endpoint', 'code'],
  ),
};
