/**
 * How a base model, which has no chat template, reads a conversation: a paragraph a turn, "User: …", an empty line
 * behind each, and its end-of-text token behind what an assistant says. Tools stand nowhere in it, so they are refused.
 */
export const plainTemplate = `
{%- if tools or messages | selectattr('tool_calls', 'defined') | list | length > 0 %}
{{- raise_exception('the plain form of a model without a template has no place for tools') }}
{%- endif %}
{%- for message in messages %}
{{- (message.role | capitalize) + ': ' + message.content }}
{%- if message.role == 'assistant' and eos_token is defined %}{{ eos_token }}{% endif %}
{{- '\\n\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}
`;
