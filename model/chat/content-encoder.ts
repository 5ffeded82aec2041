import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { Tokenization } from '../tokenizer/tokenization.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { baseFormat } from './chat-format.ts';
import { ChatTemplate } from './chat-template.ts';
import type { Content } from './conversation.ts';

/** How one model reads texts and conversations. */
export class ContentEncoder {
  readonly tokenizer: Tokenizer;
  readonly template: ChatTemplate;

  constructor(tokenizer: Tokenizer, template: ChatTemplate) {
    this.tokenizer = tokenizer;
    this.template = template;
  }

  /** Of a model that has no chat template. */
  static ofBaseModel(tokenizer: Tokenizer): ContentEncoder {
    return new ContentEncoder(tokenizer, ChatTemplate.of(baseFormat, 'a base model'));
  }

  /**
   * A text becomes what the tokenizer makes of it, spans in its UTF-8 bytes; a conversation what the model's template
   * makes of it, spans in its coordinates (content-layout.ts).
   *
   * @throws FuseMeshError invalid_argument where the template cannot read a conversation
   */
  encodeBatch(contents: readonly Content[]): Promise<Tokenization[]> {
    const texts = contents.map((content) => {
      if (typeof content === 'string') return content;
      throw new FuseMeshError('unimplemented', `${this.template.name} reads no conversations yet`);
    });
    return this.tokenizer.encodeBatch(texts);
  }

  /** Id of the token that ends an assistant's turn; undefined where the template puts none. */
  async endOfTurn(): Promise<number | undefined> {
    return undefined;
  }
}
