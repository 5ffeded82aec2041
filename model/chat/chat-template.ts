import { Template } from '@huggingface/jinja';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';

/** How a model reads conversations. */
export interface ChatFormat {
  /** In Jinja, as transformers take it; '' for a base model that has none. */
  readonly template: string;
  /** The variables that templates name special tokens by: bos_token, eos_token, … */
  readonly specialTokens: Readonly<Record<string, string>>;
}

/** Of a model that has no template. */
export const baseFormat: ChatFormat = { template: '', specialTokens: {} };

/** What a template is given beside the messages. */
export interface RenderOptions {
  /** What is parsed from JSON; undefined where there are none. */
  readonly tools?: unknown;
  /** Whether the beginning of an assistant's turn is put behind, which a model then goes on with. */
  readonly addGenerationPrompt: boolean;
  /** What strftime_now tells. */
  readonly date?: Date;
}

/** A message as templates see it. */
export type Message = Readonly<Record<string, unknown>> & {
  readonly role: string;
  readonly content: string;
};

/** A chat template of a model. */
export class ChatTemplate {
  readonly format: ChatFormat;
  /** What error messages call it. */
  readonly name: string;
  readonly #template: Template;

  private constructor(format: ChatFormat, name: string) {
    this.format = format;
    this.name = name;
    this.#template = new Template(format.template);
  }

  /**
   * @param file a template (.jinja) to take instead of the directory's own
   * @throws FuseMeshError not_found, invalid_argument
   */
  static async fromDirectory(directory: string, file?: string): Promise<ChatTemplate> {
    return ChatTemplate.of(baseFormat, file ?? directory);
  }

  static of(format: ChatFormat, name: string): ChatTemplate {
    return new ChatTemplate(format, name);
  }

  render(messages: readonly Message[], { tools, addGenerationPrompt }: RenderOptions): string {
    return this.#template.render({
      ...this.format.specialTokens,
      messages,
      tools,
      add_generation_prompt: addGenerationPrompt,
    });
  }
}
