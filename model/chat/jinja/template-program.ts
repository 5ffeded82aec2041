import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja';
import { WholeFloat } from './python-json.ts';
import { pythonOperations, speakPython } from './python-semantics.ts';
import { strftime } from './strftime.ts';

/** What a template says by raise_exception. */
export class TemplateRefusal extends Error {}

/** A template in Jinja that renders as transformers render it. */
export class TemplateProgram {
  readonly #program: ReturnType<typeof parse>;

  /** @throws SyntaxError */
  constructor(template: string) {
    this.#program = parse(tokenize(template, { lstrip_blocks: true, trim_blocks: true }));
    speakPython(this.#program);
  }

  /**
   * @param variables what the template may name; undefined is undefined there too
   * @param now what strftime_now tells
   * @throws TemplateRefusal; Error where the template does what cannot be done
   */
  render(variables: Readonly<Record<string, unknown>>, now: Date): string {
    const environment = new Environment();
    const names = {
      true: true,
      True: true,
      false: false,
      False: false,
      none: null,
      None: null,
      ...pythonOperations,
      range,
      raise_exception: (message: unknown) => {
        throw new TemplateRefusal(String(message));
      },
      strftime_now: (format: string) => strftime(now, format),
      ...variables,
    };
    const interpreter = new Interpreter(environment);
    const float = (value: number) => interpreter.evaluate(floatLiteral(value), environment);
    for (const [name, value] of Object.entries(names)) withFloats(value, environment.set(name, value), float);
    return String(interpreter.run(this.#program).value);
  }
}

/** A node that the interpreter makes a float of, whole or not. */
const floatLiteral = (value: number): Parameters<Interpreter['evaluate']>[0] =>
  ({ type: 'FloatLiteral', value }) as { type: string };

/** A value of the interpreter. */
interface Made {
  value: unknown;
}

/**
 * Puts floats where the interpreter has made objects of {@link WholeFloat}.
 *
 * @param given data of JavaScript
 * @param made the interpreter's value of it, changed in place
 */
function withFloats(given: unknown, made: Made, float: (value: number) => Made): Made {
  if (given instanceof WholeFloat) return float(given.value);
  if (Array.isArray(given)) {
    const items = made.value as Made[];
    for (let i = 0; i < items.length; i++) items[i] = withFloats(given[i], items[i], float);
  } else if (typeof given === 'object' && given !== null) {
    const entries = made.value as Map<string, Made>;
    for (const [name, own] of Object.entries(given)) {
      entries.set(name, withFloats(own, entries.get(name)!, float));
    }
  }
  return made;
}

/** Python's range. */
function range(start: number, stop?: number, step = 1): number[] {
  if (step === 0) throw new Error('range() goes in steps of 0');
  const [from, to] = stop === undefined ? [0, start] : [start, stop];
  return Array.from({ length: Math.max(0, Math.ceil((to - from) / step)) }, (_, i) => from + i * step);
}
