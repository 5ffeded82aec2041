import { floatText } from './python-text.ts';
import type { Value } from './values.ts';

/** How Python's json.dumps writes. */
interface Style {
  readonly ensureAscii: boolean;
  /** What one level is indented by; undefined for one line. */
  readonly indent: string | undefined;
  readonly separators: readonly [item: string, key: string];
  readonly sortKeys: boolean;
}

/**
 * The filter tojson, as transformers define it: json.dumps without escapes of HTML, and of other letters than ASCII's
 * only if it is asked for.
 *
 * @param options ensure_ascii, indent, separators, sort_keys, in this order or by name
 * @throws Error where json.dumps does
 */
export function toJson(value: Value, options: readonly Value[], named: ReadonlyMap<string, Value>): string {
  const [ascii, indent, separators, sort] = ['ensure_ascii', 'indent', 'separators', 'sort_keys'].map(
    (name, i) => (options[i] ?? named.get(name))?.value ?? undefined,
  );
  const step = typeof indent === 'number' ? ' '.repeat(indent) : (indent as string | undefined);
  const [item, key] = ((separators as Value[] | undefined) ?? []).map((own) => String(own.value));
  const style: Style = {
    ensureAscii: ascii === true,
    indent: step,
    separators: [item ?? (step === undefined ? ', ' : ','), key ?? ': '],
    sortKeys: sort === true,
  };
  return dump(value, style, '');
}

function dump({ type, value }: Value, style: Style, margin: string): string {
  switch (type) {
    case 'NullValue':
      return 'null';
    case 'BooleanValue':
    case 'IntegerValue':
      return String(value);
    case 'FloatValue':
      return floatText(value as number);
    case 'StringValue':
      return dumpText(value as string, style);
    case 'ArrayValue':
    case 'TupleValue':
      return enclosed('[', value as Value[], ']', style, margin, (own, inner) => dump(own, style, inner));
    case 'ObjectValue': {
      const entries = [...(value as Map<string, Value>)];
      if (style.sortKeys) entries.sort(([a], [b]) => (a < b ? -1 : 1));
      const entry = ([key, own]: [string, Value], inner: string) =>
        dumpText(key, style) + style.separators[1] + dump(own, style, inner);
      return enclosed('{', entries, '}', style, margin, entry);
    }
    default:
      throw new Error(`a ${type} cannot be written as JSON`);
  }
}

function enclosed<Item>(
  open: string,
  items: readonly Item[],
  close: string,
  { indent, separators }: Style,
  margin: string,
  write: (item: Item, margin: string) => string,
): string {
  if (items.length === 0) return open + close;
  if (indent === undefined)
    return open + items.map((item) => write(item, margin)).join(separators[0]) + close;
  const inner = margin + indent;
  return `${open}\n${inner}${items.map((item) => write(item, inner)).join(`${separators[0]}\n${inner}`)}\n${margin}${close}`;
}

function dumpText(text: string, { ensureAscii }: Style): string {
  // JSON.stringify writes halves of characters as escapes; json.dumps leaves them, but no text holds any.
  const json = JSON.stringify(text);
  if (!ensureAscii) return json;
  return json.replaceAll(
    /[\x7f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
