import { toJson } from './json-dumps.ts';
import { capitalized, formatted, stripBefore, stripBehind } from './python-text.ts';
import { areEqual, sumOf, textOf, type Value } from './values.ts';

/** A node of a parsed template, by the fields that we read. */
interface Node {
  type: string;
  [field: string]: unknown;
}

/** What stands in a block and writes nothing by itself, or only text. */
const statements = new Set([
  'If',
  'For',
  'Set',
  'Macro',
  'CallStatement',
  'FilterStatement',
  'Break',
  'Continue',
  'Comment',
  'StringLiteral',
]);

/** Methods and filters of strings that @huggingface/jinja does otherwise than Python. */
const methods = new Set(['strip', 'lstrip', 'rstrip', 'capitalize', 'format']);
const filters: Readonly<Record<string, string>> = { trim: 'strip', capitalize: 'capitalize', string: 'str' };
/** Filters that Python lets work on what is undefined or none, as on an empty list. */
const filtersOfLists = new Set(['selectattr', 'rejectattr', 'map', 'list', 'length']);
const operators: Readonly<Record<string, string>> = {
  '==': 'equal',
  '!=': 'unequal',
  '~': 'joined',
  '+': 'sum',
};

/** No template can call a name with a space in it. */
const nameOf = (operation: string): string => `python ${operation}`;

/**
 * What the changed nodes call. Lists come as the interpreter's own values, so that None, undefined and 1.0 can be told
 * from '', null and 1.
 */
export const pythonOperations: Readonly<Record<string, (...values: never[]) => unknown>> = Object.fromEntries(
  Object.entries({
    str: ([value]: Value[]) => textOf(value),
    equal: ([left, right]: Value[]) => areEqual(left, right),
    unequal: ([left, right]: Value[]) => !areEqual(left, right),
    joined: ([left, right]: Value[]) => textOf(left) + textOf(right),
    sum: ([left, right]: Value[]) => sumOf(left, right),
    strip: ([text, ...characters]: Value[]) =>
      stripBehind(stripBefore(textOf(text), setOf(characters)), setOf(characters)),
    lstrip: ([text, ...characters]: Value[]) => stripBefore(textOf(text), setOf(characters)),
    rstrip: ([text, ...characters]: Value[]) => stripBehind(textOf(text), setOf(characters)),
    capitalize: ([text]: Value[]) => capitalized(textOf(text)),
    tojson: ([value]: Value[], ...options: unknown[]) => writtenAsJson(value, options),
    format: ([text, ...values]: Value[]) => formatted(textOf(text), values.map(textOf)),
  }).map(([operation, run]) => [nameOf(operation), run]),
);

/** @param options JavaScript's data of what is told by place, then a map of what is told by name */
function writtenAsJson(value: Value, options: readonly unknown[]): string {
  const named = options.at(-1) instanceof Map ? (options.at(-1) as ReadonlyMap<string, Value>) : undefined;
  const byPlace = named === undefined ? options : options.slice(0, -1);
  return toJson(
    value,
    byPlace.map((own) => ({ type: '', value: own })),
    named ?? new Map(),
  );
}

const setOf = ([characters]: readonly Value[]): string | undefined =>
  characters === undefined || characters.type === 'NullValue' ? undefined : textOf(characters);

/**
 * Changes a parsed template so that @huggingface/jinja renders it as Jinja does on Python, where it does not of itself:
 * how values are written (True, None, dicts), what == and ~ do with them, which characters strip() takes off, and that
 * a loop forgets what it set in the round before.
 *
 * @param program changed in place
 */
export function speakPython(program: unknown): void {
  let loops = 0;

  const visit = (value: unknown): void => {
    if (Array.isArray(value)) for (const item of value) visit(item);
    else if (value instanceof Map) {
      for (const [key, item] of value) {
        visit(key);
        visit(item);
      }
    } else if (isNode(value)) {
      for (const [field, item] of Object.entries(value)) {
        visit(item);
        if (blockFields.has(field) && Array.isArray(item)) writeAsPython(item);
      }
      if (value.type === 'CallExpression') changeMethod(value);
      if (value.type === 'FilterExpression') changeFilter(value);
      if (value.type === 'BinaryExpression') changeOperator(value);
    }
  };

  /** Expressions of a block become calls of str; loops get what they must forget. */
  const writeAsPython = (block: Node[]): void => {
    for (let i = 0; i < block.length; i++) {
      const node = block[i];
      if (!statements.has(node.type)) block[i] = call('str', [node]);
      if (node.type !== 'For') continue;
      iterateNothing(node);
      const before = forgetting(node, loops++);
      block.splice(i, 0, ...before);
      i += before.length;
    }
  };

  visit(program);
}

const blockFields = new Set(['body', 'alternate', 'defaultBlock']);

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';

const identifier = (value: string): Node => ({ type: 'Identifier', value });

const call = (operation: string, args: readonly unknown[]): Node => ({
  type: 'CallExpression',
  callee: identifier(nameOf(operation)),
  args: [{ type: 'ArrayLiteral', value: args }],
});

function changeMethod(node: Node): void {
  const callee = node.callee as Node;
  if (callee.type !== 'MemberExpression' || callee.computed === true) return;
  const method = (callee.property as Node).value as string;
  if (methods.has(method)) Object.assign(node, call(method, [callee.object, ...(node.args as Node[])]));
}

function changeFilter(node: Node): void {
  const filter = node.filter as Node;
  const [name, args] =
    filter.type === 'CallExpression'
      ? [(filter.callee as Node).value as string, filter.args as Node[]]
      : [filter.value as string, []];
  const operation = Object.hasOwn(filters, name) ? filters[name] : undefined;
  if (operation !== undefined) Object.assign(node, call(operation, [node.operand, ...args]));
  else if (name === 'tojson') {
    const written = call('tojson', [node.operand]);
    Object.assign(node, { ...written, args: [...(written.args as Node[]), ...args] });
  } else if (filtersOfLists.has(name)) node.operand = orNothing(node.operand as Node);
}

const orNothing = (node: Node): Node => ({
  type: 'BinaryExpression',
  operator: { value: 'or' },
  left: node,
  right: { type: 'ArrayLiteral', value: [] },
});

/** A loop over what is undefined has no rounds; nor has one over none, where Python raises an error. */
function iterateNothing(loop: Node): void {
  const iterable = loop.iterable as Node;
  if (iterable.type === 'SelectExpression') iterable.lhs = orNothing(iterable.lhs as Node);
  else loop.iterable = orNothing(iterable);
}

function changeOperator(node: Node): void {
  const operator = (node.operator as { value: string }).value;
  const isSafe = (operand: Node) =>
    operand.type === 'FilterExpression' && (operand.filter as Node).value === 'safe';
  if (operator === '+' && (isSafe(node.left as Node) || isSafe(node.right as Node))) {
    throw new Error("it adds something to what '| safe' gives, which Python escapes as HTML");
  }
  const operation = operators[operator];
  if (operation !== undefined) Object.assign(node, call(operation, [node.left, node.right]));
}

/**
 * Jinja gives each round of a loop a scope of its own, @huggingface/jinja one to all of them. So each round begins by
 * setting what the body sets to what it is outside.
 *
 * @returns what must stand before the loop
 */
function forgetting(loop: Node, number: number): Node[] {
  const names = new Set<string>();
  collectSet(loop.body as Node[], names);
  for (const name of namesIn(loop.loopvar as Node)) names.delete(name);
  const outside = (name: string) => identifier(`${name} outside ${number}`);
  const set = (assignee: Node, value: Node): Node => ({ type: 'Set', assignee, value, body: [] });
  (loop.body as Node[]).unshift(...[...names].map((name) => set(identifier(name), outside(name))));
  return [...names].map((name) => set(outside(name), identifier(name)));
}

/** The names that a block sets in its own scope. */
function collectSet(block: readonly Node[], names: Set<string>): void {
  for (const node of block) {
    if (node.type === 'Set') for (const name of namesIn(node.assignee as Node)) names.add(name);
    if (node.type !== 'If') continue;
    collectSet(node.body as Node[], names);
    collectSet(node.alternate as Node[], names);
  }
}

function namesIn(target: Node): string[] {
  if (target.type === 'Identifier') return [target.value as string];
  return target.type === 'TupleLiteral' ? (target.value as Node[]).flatMap(namesIn) : [];
}
