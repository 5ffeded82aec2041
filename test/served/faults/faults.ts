import { faultsOfTheAnswer } from './of-the-answer.ts';
import { faultsOfTheBytes } from './of-the-bytes.ts';
import { faultsOfTheConnection } from './of-the-connection.ts';
import { faultsOfTheModel } from './of-the-model.ts';

/** Every way in which a server of the tests can misbehave, by name. */
export const faults = {
  ...faultsOfTheModel,
  ...faultsOfTheAnswer,
  ...faultsOfTheBytes,
  ...faultsOfTheConnection,
};

export type FaultName = keyof typeof faults;
