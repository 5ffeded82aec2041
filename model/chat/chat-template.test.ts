import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tokenizerDirectory } from '../../test/support/chat-models.ts';
import { digestOf, goldenChat, goldenConversation } from '../../test/support/golden-chat.ts';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { ChatTemplate } from './chat-template.ts';
import { type Message, messagesOf, toolsOf } from './messages.ts';

const templates = join(import.meta.dirname, '../../test/golden-chat/templates');
const user: Message = { role: 'user', content: 'Hi' };
const assistant: Message = { role: 'assistant', content: 'Hello' };

const made = (template: string, specialTokens: Record<string, string> = {}) =>
  ChatTemplate.of({ template, specialTokens }, 'a-model');

/** The template of a golden model; SmolLM2's without its directory, which is not there. */
async function templateOf(model: string): Promise<ChatTemplate> {
  const { tokenizer, template, specialTokens } = goldenChat.models[model];
  const file = template === null ? undefined : join(templates, `${template}.jinja`);
  if (tokenizer !== 'smollm2') return ChatTemplate.fromDirectory(tokenizerDirectory(tokenizer), file);
  const { format } = await ChatTemplate.fromDirectory(templates, file);
  return made(format.template, specialTokens);
}

describe('ChatTemplate', () => {
  it.each(Object.keys(goldenChat.models))('renders as transformers do: %s', async (model) => {
    const template = await templateOf(model);
    const results = goldenChat.results.filter((result) => result.model === model);
    expect(results.length).toBeGreaterThan(10);
    for (const result of results) {
      const conversation = goldenConversation(result.conversation);
      const render = (addGenerationPrompt: boolean) =>
        template.render(messagesOf(conversation), { tools: toolsOf(conversation), addGenerationPrompt });
      if (result.refused !== undefined) {
        expect(() => render(false)).toThrow(`${template.name} refuses the conversation: ${result.refused}`);
        continue;
      }
      if (result.wholeText !== undefined) expect(render(false)).toBe(result.wholeText);
      expect([result.conversation, digestOf(render(false))]).toEqual([result.conversation, result.text]);
      expect([result.conversation, digestOf(render(true))]).toEqual([result.conversation, result.prompted]);
    }
  });

  it('lets templates see the same date on every day, unless it is told one', () => {
    const template = made("{{ strftime_now('%d %B %Y, %-d %b %y %A') }}");
    const rendered = (date?: Date) =>
      template.render([user], { addGenerationPrompt: false, ...(date && { date }) });
    expect(rendered()).toBe('26 July 2024, 26 Jul 24 Friday');
    expect(rendered(new Date('2026-01-05T23:00:00Z'))).toBe('05 January 2026, 5 Jan 26 Monday');
  });

  it("reads the directory's own file first, then the list in its configuration, and special tokens of both forms", async () => {
    const directory = await temporaryDirectory();
    const read = async (file?: string) =>
      (await ChatTemplate.fromDirectory(directory, file)).render([user], { addGenerationPrompt: false });
    expect(await read()).toBe('User: Hi\n\n');

    const config = {
      bos_token: { content: '<s>', special: true },
      eos_token: null,
      chat_template: [
        { name: 'tool_use', template: 'tools' },
        {
          name: 'default',
          template: '{{ bos_token }}{{ pad_token }}{{ eos_token }}{{ messages[0].content }}',
        },
      ],
    };
    await writeFile(join(directory, 'tokenizer_config.json'), JSON.stringify(config));
    await writeFile(join(directory, 'special_tokens_map.json'), JSON.stringify({ pad_token: '<pad>' }));
    expect(await read()).toBe('<s><pad>Hi');

    await writeFile(join(directory, 'chat_template.jinja'), 'own {{ bos_token }}');
    expect(await read()).toBe('own <s>');
    await writeFile(join(directory, 'other.jinja'), 'other {{ bos_token }}');
    expect(await read(join(directory, 'other.jinja'))).toBe('other <s>');
    await expect(read(join(directory, 'missing.jinja'))).rejects.toThrow('There is no chat template at');
    await writeFile(join(directory, 'broken.jinja'), '{% for %}');
    await expect(ChatTemplate.fromDirectory(directory, join(directory, 'broken.jinja'))).rejects.toThrow(
      'broken.jinja is no chat template that can be read here',
    );
  });

  it('has a plain form for models without a template, with their end-of-text token', () => {
    const plain = made('', { eos_token: '</s>' });
    const messages = [{ role: 'system', content: 'Be kind.' }, user, assistant];
    expect(plain.render(messages, { addGenerationPrompt: true })).toBe(
      'System: Be kind.\n\nUser: Hi\n\nAssistant: Hello</s>\n\nAssistant:',
    );
    expect(made('').render([assistant], { addGenerationPrompt: false })).toBe('Assistant: Hello\n\n');
    expect(() => plain.render([user], { tools: [{}], addGenerationPrompt: false })).toThrow(
      'The plain form of conversations of a-model refuses the conversation: the plain form of a model without a template has no place for tools',
    );
    expect(() => plain.render([{ ...assistant, tool_calls: [{}] }], { addGenerationPrompt: false })).toThrow(
      'no place for tools',
    );
  });

  it.each([
    ['{% for %}', 'is no chat template that can be read here'],
    ['{{ messages | groupby("role") }}', 'cannot be rendered here'],
    ['{{ messages[0].content + 1 }}', 'cannot be rendered here'],
    ["{{ strftime_now('%j') }}", 'strftime_now does not know %j'],
    ["{{ raise_exception('No\nsystem') }}", 'refuses the conversation: No system'],
  ])('says by name what it cannot do: %s', (template, said) => {
    expect(() => made(template).render([user], { addGenerationPrompt: false })).toThrow(said);
  });
});
