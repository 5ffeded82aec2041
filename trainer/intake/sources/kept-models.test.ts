import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openSecurity } from '../../../process/security/service-security.ts';
import { temporaryDirectory } from '../../../test/support/temporary-directory.ts';
import { KeptModels } from './kept-models.ts';
import { Source } from './source.ts';
import { type SourceModel, whatIsOther } from './source-model.ts';

const run = { run: 'demo', corpusSha256: 'ab' };
const model = (changes: Partial<SourceModel> = {}): SourceModel => ({
  tokenizerFingerprint: '01',
  modelFingerprint: '02',
  templateFingerprint: '03',
  probe: [-0.123456, -7.5, -2],
  serverVersion: '0.32.0',
  ...changes,
});
const sources = () => ['orator', 'novelist'].map((name) => new Source(name, '', openSecurity));

it('remembers the first model of a source, for the same run over the same corpus', async () => {
  const output = await temporaryDirectory();
  const kept = await KeptModels.recall(output, run, sources());
  await Promise.all([kept.keep('orator', model()), kept.keep('orator', model({ modelFingerprint: '03' }))]);

  const again = sources();
  const recalled = await KeptModels.recall(output, run, again);
  expect(again.map((source) => source.model)).toEqual([model({ probe: [-0.1235, -7.5, -2] }), undefined]);
  expect(whatIsOther(again[0].model!, model())).toBeUndefined();
  await recalled.keep('orator', model({ modelFingerprint: '04' }));

  for (const other of [
    { ...run, run: 'other' },
    { ...run, corpusSha256: 'cd' },
  ]) {
    const [orator] = sources();
    const anew = await KeptModels.recall(output, other, [orator]);
    expect(orator.model).toBeUndefined();
    if (other.run === 'demo') await anew.keep('orator', model({ modelFingerprint: '05' }));
  }
  const [orator] = sources();
  await KeptModels.recall(output, { ...run, corpusSha256: 'cd' }, [orator]);
  expect(orator.model?.modelFingerprint).toBe('05');
});

it('names a file that says nothing, and a disk that refuses; what was not written is written the next time', async () => {
  const output = await temporaryDirectory();
  const kept = await KeptModels.recall(output, run, sources());
  await writeFile(join(output, 'sources'), '');
  await expect(kept.keep('orator', model())).rejects.toThrow(/Cannot write .*orator\.json/);

  await expect(KeptModels.recall(output, run, sources())).rejects.toThrow(/Cannot read .*orator\.json/);
  await rm(join(output, 'sources'));
  await kept.keep('orator', model());
  const [orator] = sources();
  await KeptModels.recall(output, run, [orator]);
  expect(orator.model).toMatchObject({ modelFingerprint: '02' });

  const other = await temporaryDirectory();
  const files = await KeptModels.recall(other, run, sources());
  await files.keep('orator', model());
  await writeFile(join(other, 'sources', 'orator.json'), '{"run":"de');
  await expect(KeptModels.recall(other, run, sources())).rejects.toThrow(/orator\.json does not say/);
});

it('says what of a model is another than before', () => {
  expect(whatIsOther(model(), model({ serverVersion: '0.33.0' }))).toBeUndefined();
  expect(whatIsOther(model(), model({ probe: [-0.1, -7.48, -2.05] }))).toBeUndefined();
  expect(whatIsOther(model(), model({ tokenizerFingerprint: '03' }))).toMatch(/^tokenizer is another/);
  expect(whatIsOther(model(), model({ modelFingerprint: '03' }))).toMatch(/^model is another/);
  expect(whatIsOther(model(), model({ templateFingerprint: '04' }))).toMatch(/^chat template is/);
  expect(whatIsOther(model(), model({ probe: [-0.2, -7.7, -2] }))).toMatch(/0\.092 nats apart/);
  expect(whatIsOther(model(), model({ probe: [-0.1, -7.5] }))).toMatch(/other texts/);
});
