import { basename } from 'node:path';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { type ChatFormat, readChatFormat } from './chat-format.ts';
import { TemplateProgram, TemplateRefusal } from './jinja/template-program.ts';
import type { Message } from './messages.ts';
import { plainTemplate } from './plain-template.ts';

/** What a template is given beside the messages. */
export interface RenderOptions {
  /** Parsed from JSON; undefined where there are none. */
  readonly tools?: unknown;
  /** Whether the beginning of an assistant's turn is put behind, which a model then goes on with. */
  readonly addGenerationPrompt: boolean;
  /** What strftime_now tells: {@link fixedDate} where it is left out. */
  readonly date?: Date;
}

/**
 * The date that templates see: 26 July 2024, which Llama 3.1's takes where it is told none. Replicas that start on
 * different days must read a conversation alike, and so must a run that goes on the next day.
 */
const fixedDate = new Date(Date.UTC(2024, 6, 26));

/** A chat template, rendered as transformers render it (apply_chat_template). */
export class ChatTemplate {
  readonly format: ChatFormat;
  /** What error messages call it. */
  readonly name: string;
  #parsed: TemplateProgram | undefined;

  private constructor(format: ChatFormat, name: string) {
    this.format = format;
    this.name = name;
  }

  /** Parsed when it is first needed: a model whose template cannot be read here still reads texts. */
  get #program(): TemplateProgram {
    const { template } = this.format;
    try {
      this.#parsed ??= new TemplateProgram(template === '' ? plainTemplate : template);
      return this.#parsed;
    } catch (cause) {
      throw new FuseMeshError(
        'invalid_argument',
        `${this.name} is no chat template that can be read here (${oneLine(cause)}): name another one`,
        { cause },
      );
    }
  }

  /**
   * The template of a model directory: its chat_template.jinja, or what its tokenizer_config.json has as
   * chat_template (of several, the one named "default").
   *
   * @param file a template (.jinja) to take instead; the special tokens remain the directory's
   * @throws FuseMeshError not_found where there is no such file, invalid_argument where it cannot be read
   */
  static async fromDirectory(directory: string, file?: string): Promise<ChatTemplate> {
    const format = await readChatFormat(directory, file);
    const owner = basename(directory);
    if (file === undefined) return ChatTemplate.of(format, owner);
    const named = new ChatTemplate(format, `The chat template ${file}`);
    // What somebody names is meant to be used.
    void named.#program;
    return named;
  }

  /** @param name of the model that reads by it */
  static of(format: ChatFormat, name: string): ChatTemplate {
    const what = format.template === '' ? 'The plain form of conversations' : 'The chat template';
    return new ChatTemplate(format, `${what} of ${name}`);
  }

  /**
   * @throws FuseMeshError invalid_argument where the template refuses the messages (raise_exception) or asks for
   * what cannot be done here
   */
  render(
    messages: readonly Message[],
    { tools, addGenerationPrompt, date = fixedDate }: RenderOptions,
  ): string {
    const program = this.#program;
    try {
      return program.render(
        {
          ...this.format.specialTokens,
          messages,
          // What is not given is None, as transformers give it.
          tools: tools ?? null,
          documents: null,
          add_generation_prompt: addGenerationPrompt,
        },
        date,
      );
    } catch (cause) {
      const refused = cause instanceof TemplateRefusal;
      throw new FuseMeshError(
        'invalid_argument',
        `${this.name} ${refused ? 'refuses the conversation' : 'cannot be rendered here'}: ${oneLine(cause)}`,
        { cause },
      );
    }
  }
}

const oneLine = (cause: unknown): string =>
  (cause instanceof Error ? cause.message : String(cause)).replaceAll(/\s+/g, ' ').trim();
