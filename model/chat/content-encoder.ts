import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { Tokenization } from '../tokenizer/tokenization.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { baseFormat } from './chat-format.ts';
import { ChatTemplate } from './chat-template.ts';
import type { Content, Conversation } from './conversation.ts';
import { type Frame, spansInConversation } from './rendered-spans.ts';
import { joinedTurns, type RenderedConversation, renderConversation } from './rendered-turns.ts';
import { endsOfTurnOf, generationPromptOf } from './turn-frame.ts';

/** How one model reads texts and conversations. */
export class ContentEncoder {
  readonly tokenizer: Tokenizer;
  readonly template: ChatTemplate;
  #generationPrompt: string | undefined;
  #endsOfTurn: Promise<readonly number[]> | undefined;

  constructor(tokenizer: Tokenizer, template: ChatTemplate) {
    this.tokenizer = tokenizer;
    this.template = template;
  }

  /** Of a model that has no chat template. */
  static ofBaseModel(tokenizer: Tokenizer): ContentEncoder {
    return new ContentEncoder(tokenizer, ChatTemplate.of(baseFormat, 'a base model'));
  }

  /**
   * A text becomes what the tokenizer makes of it, spans in its UTF-8 bytes. A conversation becomes what the tokenizer
   * makes of the template's rendering (the ids of transformers' apply_chat_template), spans in its coordinates
   * (content-layout.ts). Turns without a role are joined and read as a text is, with the end-of-text token behind the
   * last where that is learnt and finished.
   *
   * @throws FuseMeshError invalid_argument where the template cannot read a conversation
   */
  async encodeBatch(contents: readonly Content[]): Promise<Tokenization[]> {
    const readings = contents.map((content) =>
      typeof content === 'string' ? content : this.#render(content),
    );
    const endsOfTurn = readings.some((reading) => typeof reading !== 'string') ? await this.endsOfTurn() : [];
    const tokenizations = await this.#encode(readings);
    return contents.map((content, i) => {
      const reading = readings[i];
      if (typeof content === 'string' || typeof reading === 'string') return tokenizations[i];
      const { joined, generationPrompt, text, turns } = reading;
      const endsTurn = joined ? this.#isEndOfText : (id: number) => endsOfTurn.includes(id);
      const frame: Frame = { joined, generationPrompt, endsTurn, isSpecial: this.#isSpecial };
      const tokens = tokenizations[i];
      return { ...tokens, ...spansInConversation(content, { text, turns }, tokens, frame) };
    });
  }

  /**
   * The token that ends an assistant's turn (<|im_end|>, <|eot_id|>, </s>), as a small conversation shows it; undefined
   * where the template ends turns with none.
   */
  async endOfTurn(): Promise<number | undefined> {
    return (await this.endsOfTurn()).at(0);
  }

  /** {@link endOfTurn}, and those that end an earlier turn or one that calls tools where they are others. */
  endsOfTurn(): Promise<readonly number[]> {
    this.#endsOfTurn ??= endsOfTurnOf(
      this.template,
      async (text) => (await this.#encode([{ text, joined: false }]))[0],
      (id) => this.#isSpecial(id) || this.#isEndOfText(id),
    );
    return this.#endsOfTurn;
  }

  /** The token that ends a text or a completion that nobody speaks (</s>, <|endoftext|>); undefined where there is none. */
  endOfText(): number | undefined {
    for (let id = 0; id < this.tokenizer.vocabularySize; id++)
      if (this.#isSpecial(id) && this.#isEndOfText(id)) return id;
    return undefined;
  }

  readonly #isSpecial = (id: number): boolean => this.tokenizer.tokenBytes(id) === undefined;

  readonly #isEndOfText = (id: number): boolean =>
    this.tokenizer.tokenString(id) === this.template.format.specialTokens.eos_token;

  #render(conversation: Conversation): RenderedConversation & Pick<Frame, 'joined' | 'generationPrompt'> {
    const { turns } = conversation;
    const unspoken = turns.filter(({ role }) => role === '').length;
    if (unspoken === 0) {
      this.#generationPrompt ??= generationPromptOf(this.template);
      const generationPrompt = this.#generationPrompt;
      return {
        ...renderConversation(this.template, conversation, generationPrompt),
        joined: false,
        generationPrompt,
      };
    }
    if (unspoken < turns.length || conversation.tools !== '') {
      throw new FuseMeshError(
        'invalid_argument',
        'A conversation has turns without a role beside such that have one, or beside tools: give each turn a role, or none',
      );
    }
    const { eos_token: endOfText = '' } = this.template.format.specialTokens;
    return { ...joinedTurns(conversation, endOfText), joined: true, generationPrompt: '' };
  }

  /** What no template frames begins as every text does. */
  async #encode(readings: readonly (string | { text: string; joined: boolean })[]): Promise<Tokenization[]> {
    const plain = this.template.format.template === '';
    const [asText, rendered]: string[][] = [[], []];
    const order = readings.map((reading) => {
      const text = typeof reading === 'string' ? reading : reading.text;
      const list = plain || typeof reading === 'string' || reading.joined ? asText : rendered;
      return { list, at: list.push(text) - 1 };
    });
    const [texts, conversations] = await Promise.all([
      this.tokenizer.encodeBatch(asText),
      this.tokenizer.encodeRendered(rendered),
    ]);
    return order.map(({ list, at }) => (list === asText ? texts : conversations)[at]);
  }
}
