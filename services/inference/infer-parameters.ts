import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { InferParameter } from '../../wire/generated/inference/grpc_predict_v2_pb.ts';

/**
 * Numbers that a request has as parameters. A string is read as a number: some clients send no fractions otherwise.
 *
 * @param known the parameters that the model takes
 * @throws FuseMeshError invalid_argument for any other parameter, and for a value that is no number
 */
export function numbersOf<const Name extends string>(
  parameters: Readonly<Record<string, InferParameter>>,
  known: readonly Name[],
): Partial<Record<Name, number>> {
  const numbers: Partial<Record<Name, number>> = {};
  for (const [name, { parameterChoice }] of Object.entries(parameters)) {
    const isKnown = (one: string): one is Name => (known as readonly string[]).includes(one);
    if (!isKnown(name)) {
      const taken = known.length === 0 ? 'there are none' : `there are ${known.join(', ')}`;
      throw new FuseMeshError('invalid_argument', `ModelInfer: there is no parameter ${name}; ${taken}.`);
    }
    const { value } = parameterChoice;
    const number = typeof value === 'boolean' || value === '' ? Number.NaN : Number(value);
    if (!Number.isFinite(number)) {
      throw new FuseMeshError('invalid_argument', `ModelInfer: the parameter ${name} is no number.`);
    }
    numbers[name] = number;
  }
  return numbers;
}
