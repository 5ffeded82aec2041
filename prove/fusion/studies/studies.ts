import { FuseMeshError } from '../../../errors/fusemesh-error.ts';
import type { Study } from '../study.ts';
import { openDemoStudy } from './demo-study.ts';
import { openLora, openTarget4m, openTarget16m } from './other-targets.ts';
import { openSmolLm2Study } from './smollm2/smollm2-study.ts';

/** Opens a study with all that it needs. */
type Open = () => Promise<Study>;

const studies: Readonly<Record<string, Open>> = {
  demo: openDemoStudy,
  smollm2: openSmolLm2Study,
  'target-4m': openTarget4m,
  'target-16m': openTarget16m,
  lora: openLora,
};

/** @throws FuseMeshError not_found when there is no such study, or what it needs is missing */
export async function openStudy(name: string): Promise<Study> {
  if (Object.hasOwn(studies, name)) return studies[name]();
  const known = Object.keys(studies).join(', ');
  throw new FuseMeshError('not_found', `There is no study ${name}: there are ${known}.`);
}
