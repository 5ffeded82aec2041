import { join } from 'node:path';
import { ChatTemplate } from '../../model/chat/chat-template.ts';
import { ContentEncoder } from '../../model/chat/content-encoder.ts';
import { Tokenizer } from '../../model/tokenizer/tokenizer.ts';

const zoo = join(import.meta.dirname, '../../examples/zoo');
/** The zoo's models say so in their tokenizers alone. */
const specialTokens = { bos_token: '<s>', eos_token: '</s>' };

/** How a model of the zoo reads, with a chat template in place of none. */
export async function zooEncoder(model: string, template = ''): Promise<ContentEncoder> {
  const tokenizer = await Tokenizer.fromFile(join(zoo, model, 'tokenizer.json'));
  return new ContentEncoder(tokenizer, ChatTemplate.of({ template, specialTokens }, model));
}
