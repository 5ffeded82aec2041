import type { Document, RolloutTask, Turn } from '../../../wire/generated/fusemesh/v1/corpus_pb.ts';

/** Why a rollout becomes no document: its weights are too old, or it is not what was asked for. */
export interface WrongRollout {
  readonly kind: 'stale' | 'unusable';
  /** To be read behind "the rollout of document 7". */
  readonly reason: string;
}

/** What is wrong with what a worker wrote for a task; undefined where nothing is. */
export function wrongRollout(
  { turns, tools, domain, rollout }: Document,
  task: RolloutTask,
): WrongRollout | undefined {
  const unusable = (reason: string): WrongRollout => ({ kind: 'unusable', reason });
  if (rollout === undefined) return unusable('does not say how it was written');
  const { weightsStep, prompt, seed, teacher, tokens } = rollout;
  if (prompt !== task.prompt || seed !== task.seed || teacher !== task.teacher || domain !== task.domain) {
    return unusable('is of another prompt or seed');
  }
  if (weightsStep < task.minStep) {
    const reason = `was written by weights of step ${weightsStep}, and ${task.minStep} is the least`;
    return { kind: 'stale', reason };
  }
  if (tokens > task.maxTokens) return unusable(`has ${tokens} tokens, and ${task.maxTokens} are the most`);
  if (tools !== task.tools || turns.length !== task.turns.length + 1) return unusable('has another prompt');
  if (!task.turns.every((turn, i) => isSame(turn, turns[i]))) return unusable('has another prompt');
  const completion = turns[turns.length - 1];
  const role = completionRole(task);
  if (completion.role !== role || !completion.learnt || completion.extras !== '') {
    return unusable('has no completion that is learnt');
  }
  return undefined;
}

/** Who speaks a completion: an assistant in a conversation; nobody where the prompt is a text. */
const completionRole = ({ turns }: RolloutTask): string => (turns[0]?.role === '' ? '' : 'assistant');

const isSame = (one: Turn, other: Turn): boolean =>
  one.role === other.role &&
  one.content === other.content &&
  one.extras === other.extras &&
  one.learnt === other.learnt &&
  one.unfinished === other.unfinished;
