import type { DescMethod, DescService, MessageShape } from '@bufbuild/protobuf';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { FieldRule } from './field-rules.ts';
import type { CallContext, Implementation } from './implementation.ts';

type Fields<M extends DescMethod> = Omit<MessageShape<M['input']>, '$typeName' | '$unknown'>;

/** A rule for every field of every request of a service; the compiler sees to it that none is left out. */
export type RequestRules<S extends DescService> = {
  readonly [Name in keyof S['method']]: {
    readonly [Field in keyof Fields<S['method'][Name]>]: FieldRule<Fields<S['method'][Name]>[Field]>;
  };
};

/**
 * Checks requests before they reach a service: one that breaks a rule is refused with INVALID_ARGUMENT and a message
 * that names the field.
 */
export function checked<S extends DescService>(
  service: S,
  rules: RequestRules<S>,
  implementation: Implementation<S>,
): Implementation<S> {
  const functions = implementation as Readonly<Record<string, (...call: unknown[]) => unknown>>;
  return Object.fromEntries(
    service.methods.map((method) => {
      const rulesOfMethod = rules[method.localName as keyof S['method']] as RulesOfMethod;
      const behind = (request: Record<string, unknown>, context: CallContext) => {
        refuse(method, rulesOfMethod, request);
        return functions[method.localName](request, context);
      };
      return [method.localName, behind];
    }),
  ) as unknown as Implementation<S>;
}

type RulesOfMethod = Readonly<Record<string, FieldRule<unknown>>>;

function refuse(method: DescMethod, rules: RulesOfMethod, request: Record<string, unknown>): void {
  for (const { localName, name } of method.input.fields) {
    const problem = rules[localName](request[localName]);
    if (problem !== undefined) {
      throw new FuseMeshError('invalid_argument', `${method.name}: ${name} ${problem}.`);
    }
  }
}
