/** What one speaker says at a time. */
export interface Turn {
  /** "system", "user", "assistant", "tool"; '' for text that nobody speaks, which no template renders. */
  readonly role: string;
  /** May be empty. */
  readonly content: string;
  /** Whether the target learns it. */
  readonly learnt: boolean;
  /** What else the message has for chat templates (tool_calls, name, …), as a JSON object; '' where that is nothing. */
  readonly extras: string;
  /** It was cut off, by length: what ends a turn is not learnt behind it. Left out, it was not. */
  readonly unfinished?: boolean;
}

/** What several speakers say, which every model reads by its own chat template. */
export interface Conversation {
  readonly turns: readonly Turn[];
  /** Tools that may be called, as the JSON array that chat templates take; '' where there are none. */
  readonly tools: string;
}

/** What a model reads: a text as it is, or a conversation. */
export type Content = string | Conversation;

/** What a document holds: the text, or the turns where it has some. */
export function contentOf({ text, turns, tools }: Conversation & { readonly text: string }): Content {
  return turns.length === 0 ? text : { turns, tools };
}
