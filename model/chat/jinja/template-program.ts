import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja';
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
    for (const [name, value] of Object.entries(names)) environment.set(name, value);
    return String(new Interpreter(environment).run(this.#program).value);
  }
}

/** Python's range. */
function range(start: number, stop?: number, step = 1): number[] {
  if (step === 0) throw new Error('range() goes in steps of 0');
  const [from, to] = stop === undefined ? [0, start] : [start, stop];
  return Array.from({ length: Math.max(0, Math.ceil((to - from) / step)) }, (_, i) => from + i * step);
}
