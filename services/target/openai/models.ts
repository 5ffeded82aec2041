import type { Answers } from '../answers/answers.ts';
import { RequestRefusal } from './request-refusal.ts';

/** @throws RequestRefusal for another name than that of the model that is served */
export function refuseOtherModel(asked: string, name: string): void {
  if (asked === name) return;
  throw new RequestRefusal(
    `The model ${JSON.stringify(asked.slice(0, 80))} is not served here; "${name}" is.`,
    {
      code: 'not_found',
      param: 'model',
      reason: 'model_not_found',
    },
  );
}

/** A model as GET /v1/models/{id} tells it; `max_model_len` is vLLM's name for the context length. */
export const modelObject = (name: string, { model, step }: Answers, created: number) => ({
  id: name,
  object: 'model',
  created,
  owned_by: 'fusemesh',
  max_model_len: model.card.contextLength,
  weights_step: step,
});

/** GET /v1/models. */
export const modelList = (...model: Parameters<typeof modelObject>) => ({
  object: 'list',
  data: [modelObject(...model)],
});
