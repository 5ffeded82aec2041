import { floatText, quoted } from './python-text.ts';

/** A value of @huggingface/jinja while a template is rendered. */
export interface Value {
  readonly type: string;
  readonly value: unknown;
}

/** Python's str of a value, as Jinja writes it into a rendering. */
export function textOf({ type, value }: Value): string {
  if (type === 'StringValue') return value as string;
  return type === 'UndefinedValue' ? '' : represented({ type, value });
}

/** Python's repr of a value. */
function represented({ type, value }: Value): string {
  switch (type) {
    case 'StringValue':
      return quoted(value as string);
    case 'IntegerValue':
      return String(value);
    case 'FloatValue':
      return floatText(value as number);
    case 'BooleanValue':
      return value === true ? 'True' : 'False';
    case 'NullValue':
      return 'None';
    case 'UndefinedValue':
      return 'Undefined';
    case 'ArrayValue':
      return `[${(value as Value[]).map(represented).join(', ')}]`;
    case 'TupleValue': {
      const parts = (value as Value[]).map(represented);
      return `(${parts.join(', ')}${parts.length === 1 ? ',' : ''})`;
    }
    case 'ObjectValue': {
      const entries = [...(value as Map<string, Value>)];
      return `{${entries.map(([key, own]) => `${quoted(key)}: ${represented(own)}`).join(', ')}}`;
    }
    default:
      throw new Error(`a ${type} cannot be written as text`);
  }
}

/** Python's ==. */
export function areEqual(left: Value, right: Value): boolean {
  if (isNumber(left) && isNumber(right)) return Number(left.value) === Number(right.value);
  if (isList(left) && isList(right)) {
    const [own, other] = [left.value as Value[], right.value as Value[]];
    return (
      left.type === right.type &&
      own.length === other.length &&
      own.every((item, i) => areEqual(item, other[i]))
    );
  }
  if (left.type !== right.type) return false;
  if (left.type === 'ObjectValue') {
    const [own, other] = [left.value as Map<string, Value>, right.value as Map<string, Value>];
    return (
      own.size === other.size &&
      [...own].every(([key, item]) => other.has(key) && areEqual(item, other.get(key) as Value))
    );
  }
  return left.value === right.value;
}

const isNumber = ({ type }: Value): boolean =>
  type === 'IntegerValue' || type === 'FloatValue' || type === 'BooleanValue';

const isList = ({ type }: Value): boolean => type === 'ArrayValue' || type === 'TupleValue';

/**
 * Python's +.
 *
 * @throws Error where Python raises a TypeError
 */
export function sumOf(left: Value, right: Value): unknown {
  if (left.type === 'StringValue' && right.type === 'StringValue') return `${left.value}${right.value}`;
  if (isNumber(left) && isNumber(right)) {
    const sum = Number(left.value) + Number(right.value);
    const isFloat = left.type === 'FloatValue' || right.type === 'FloatValue';
    if (isFloat && Number.isInteger(sum))
      throw new Error(`it adds floats to ${floatText(sum)}, which is kept as an integer`);
    return sum;
  }
  if (isList(left) && left.type === right.type) return [...(plain(left) as []), ...(plain(right) as [])];
  throw new Error(`it adds a ${left.type} and a ${right.type}`);
}

/** A value as data of JavaScript. */
function plain({ type, value }: Value): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, own]) => [key, plain(own)]));
  if (Array.isArray(value)) return value.map(plain);
  if (type === 'NullValue') return null;
  if (type === 'FunctionValue') throw new Error('it puts a function into a list');
  return value;
}
