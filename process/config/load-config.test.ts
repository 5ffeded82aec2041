import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../../test/support/temporary-directory.ts';
import { recordingOf, textsOf } from './corpus-of-run.ts';
import { loadRunConfig } from './load-config.ts';

const runFile = `
run: demo
contextLength: 256
corpus:
  - { domain: speeches, path: corpus/speeches.txt }
teachers:
  - { name: orator, address: 127.0.0.1:50051, model: models/orator }
target: { model: /models/target }
trainer: { output: out, learningRate: 1e-4 }
`;

async function write(text = runFile): Promise<{ path: string; directory: string }> {
  const directory = await temporaryDirectory();
  const path = join(directory, 'run.yaml');
  await writeFile(path, text);
  return { path, directory };
}

describe('loadRunConfig', () => {
  it('fills in defaults and makes paths absolute', async () => {
    const { path, directory } = await write();
    const config = await loadRunConfig(path, { environment: {} });
    expect(config.nats).toEqual({
      url: 'nats://127.0.0.1:4222',
      replicas: 1,
      maxDocuments: 1024,
      maxDistributions: 1024,
    });
    expect(config.trainer).toMatchObject({ learningRate: 1e-4, output: join(directory, 'out') });
    for (const { execution, device } of [config.trainer, ...config.teachers])
      expect([execution, device]).toEqual(['cpu', 0]);
    expect(textsOf(config)[0].path).toBe(join(directory, 'corpus/speeches.txt'));
    expect(config.teachers[0].model).toBe(join(directory, 'models/orator'));
    expect(config.target.model).toBe('/models/target');
  });

  it('lets flags win over the environment and the environment over the file', async () => {
    const { path } = await write();
    const config = await loadRunConfig(path, {
      overrides: ['trainer.steps=12', 'trainer.lambda=0.5', 'trainer.output=elsewhere'],
      environment: {
        FUSEMESH_TRAINER__LAMBDA: '0.7',
        FUSEMESH_TRAINER__LEARNING_RATE: '2e-3',
        FUSEMESH_TEACHERS__0__THREADS: '3',
        FUSEMESH_TEACHERS__0__EXECUTION: 'webgpu',
        FUSEMESH_PARENT: '1',
        NATS_URL: 'nats://mesh:4222',
        // As Kubernetes has them for a service named fusemesh-trainer.
        FUSEMESH_TRAINER_PORT: 'tcp://10.0.0.7:50050',
        FUSEMESH_TRAINER_SERVICE_HOST: '10.0.0.7',
      },
    });
    expect(config.trainer).toMatchObject({ steps: 12, lambda: 0.5, learningRate: 2e-3 });
    expect(config.trainer.output).toBe(join(process.cwd(), 'elsewhere'));
    expect(config.teachers[0]).toMatchObject({ threads: 3, execution: 'webgpu', device: 0 });
    expect(config.nats.url).toBe('nats://mesh:4222');
  });

  it.each([
    ['a misspelt key', 'target: {', 'targt: {', 'unknown key "targt"; did you mean "target"?'],
    [
      'a misspelt key inside',
      'learningRate',
      'learning_rate',
      'unknown key "trainer.learning_rate"; did you mean "learningRate"?',
    ],
    [
      'a misspelt key in a list',
      'domain:',
      'domian:',
      'unknown key "corpus.0.domian"; did you mean "domain"?',
    ],
    ['a missing key', 'run: demo', '', 'run: is missing'],
    ['a wrong type', 'contextLength: 256', 'contextLength: long', 'contextLength: '],
    [
      'a place to compute that there is not',
      'output: out',
      'output: out, execution: rocm',
      /trainer\.execution: .*"cpu"\|"cuda"\|"webgpu"/,
    ],
    [
      'a device that is no number',
      'model: models/orator',
      "execution: cuda, device: 'cuda:1'",
      'teachers.0.device: ',
    ],
    ['a device below 0', 'output: out', 'output: out, execution: cuda, device: -1', 'trainer.device: '],
    ['a wrong form', '127.0.0.1:50051', 'localhost', 'teachers.0.address: use HOST:PORT'],
    [
      'a wrong time',
      'output: out',
      'output: out, join: { atLeast: 1, within: 30 }',
      'trainer.join: use all, or { atLeast: 2, within: 30s }',
    ],
    [
      'a name given twice',
      'target: {',
      'target: { source: { name: orator, address: a:1 },',
      'two sources are named "orator"',
    ],
    ['no YAML', 'run: demo', 'run: [', 'is not valid YAML'],
  ])('names %s', async (_, from, to, message) => {
    const { path } = await write(runFile.replace(from, to));
    const loading = loadRunConfig(path, { environment: {} });
    await expect(loading).rejects.toMatchObject({ code: 'invalid_argument' });
    await expect(loading).rejects.toThrow(message);
    await expect(loading).rejects.toThrow(path);
  });

  it('takes a recording in place of texts, and no teachers with it', async () => {
    const texts = '\n  - { domain: speeches, path: corpus/speeches.txt }';
    const teachers = 'teachers:\n  - { name: orator, address: 127.0.0.1:50051, model: models/orator }\n';
    const { path, directory } = await write(
      runFile.replace(texts, ' { recording: said }').replace(teachers, ''),
    );
    const config = await loadRunConfig(path, { environment: {} });
    expect(recordingOf(config)).toBe(join(directory, 'said'));
    expect(config.teachers).toEqual([]);
    expect(() => textsOf(config)).toThrow('it needs no feeder');
    const set = await loadRunConfig((await write()).path, {
      overrides: ['corpus.recording=said'],
      environment: {},
    });
    expect(recordingOf(set)).toBe(join(process.cwd(), 'said'));
    const wrong = await write(runFile.replace(texts, ' { recordings: said }'));
    await expect(loadRunConfig(wrong.path, { environment: {} })).rejects.toThrow(
      'corpus.recording: is missing; unknown key "corpus.recordings"; did you mean "recording"?',
    );
  });

  it('takes a rule of the join from the command line', async () => {
    const { path } = await write();
    const { trainer } = await loadRunConfig(path, { overrides: ['trainer.join.atLeast=1'], environment: {} });
    expect(trainer.join).toEqual({ atLeast: 1, within: '30s' });
    expect((await loadRunConfig(path, { environment: {} })).trainer.join).toBe('all');
  });

  it('checks keys against each other as flags and the environment have changed them', async () => {
    const { path } = await write();
    const overrides = ['nats.maxDocuments=100'];
    await expect(loadRunConfig(path, { overrides, environment: {} })).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringMatching(/: nats\.maxDocuments is 100, but a checkpoint/),
    });
    const environment = { FUSEMESH_TRAINER__CHECKPOINT_EVERY: '5' };
    await expect(loadRunConfig(path, { overrides, environment })).resolves.toBeDefined();
  });

  it('names a setting that leads nowhere', async () => {
    const { path } = await write();
    await expect(loadRunConfig(path, { overrides: ['run.name=x'] })).rejects.toThrow(
      '--set run.name: run is a value and has no keys',
    );
    await expect(loadRunConfig(path, { overrides: ['steps'] })).rejects.toThrow('use KEY=VALUE');
    await expect(loadRunConfig(path, { environment: { FUSEMESH_TRAINER__LAMDA: '1' } })).rejects.toThrow(
      'did you mean "lambda"?',
    );
  });

  it('makes paths of certificates and secrets absolute, and holds no secret itself', async () => {
    const security =
      'security: { tokenFile: token, tls: { ca: tls/ca.pem, certificate: tls/node.pem, key: /node.key } }';
    const nats = 'nats: { user: mesh, passwordFile: word, tls: { ca: nats.pem } }';
    const { path, directory } = await write(`${runFile}${security}\n${nats}\n`);
    const environment = { FUSEMESH_TOKEN: 'hidden-1', NATS_PASSWORD: 'hidden-2', NATS_TOKEN: 'hidden-3' };
    const config = await loadRunConfig(path, { environment, overrides: ['nats.passwordFile=other'] });
    expect(config.security).toEqual({
      tokenFile: join(directory, 'token'),
      insecure: false,
      tls: {
        ca: join(directory, 'tls/ca.pem'),
        certificate: join(directory, 'tls/node.pem'),
        key: '/node.key',
        clientCertificates: false,
      },
    });
    expect(config.nats).toMatchObject({
      passwordFile: join(process.cwd(), 'other'),
      tls: { ca: join(directory, 'nats.pem') },
    });
    expect(JSON.stringify(config)).not.toContain('hidden');
  });

  it.each([
    ['security.token', 's3cret', 'security: { token: s3cret }', 'FUSEMESH_TOKEN'],
    ['nats.password', 's3cret', 'nats: { user: mesh, password: s3cret }', 'NATS_PASSWORD'],
    ['nats.token', 's3cret', 'nats: { token: s3cret }', 'NATS_TOKEN'],
    ['nats.credentials', 's3cret', 'nats: { credentials: s3cret }', 'nats.credentialsFile'],
    ['nats.url', 'nats://mesh:s3cret@host:4222', "nats: { url: 'nats://mesh:s3cret@host:4222' }", 'NATS_URL'],
    ['nats.url', 'nats://s3cret@host:4222', 'nats: { url: nats://s3cret@host:4222 }', 'NATS_URL'],
  ])('refuses %s as a secret in the file and on the command line', async (key, value, line, instead) => {
    const inFile = loadRunConfig((await write(`${runFile}${line}\n`)).path, { environment: {} });
    await expect(inFile).rejects.toThrow(`${key}: a secret does not belong into a run file`);
    const { path } = await write();
    const flags = [`${key}=${value}`, line.replace(': ', '=')];
    for (const flag of flags) {
      const byFlag = loadRunConfig(path, { overrides: [flag], environment: {} });
      await expect(byFlag).rejects.toThrow(
        /^--set (nats|security)\S*: a secret does not belong on a command line/,
      );
      for (const loading of [inFile, byFlag]) {
        await expect(loading).rejects.toMatchObject({ code: 'invalid_argument' });
        await expect(loading).rejects.toThrow(instead);
        await expect(loading).rejects.not.toThrow('s3cret');
      }
    }
  });

  it.each([
    ['llama.cpp', 'ignores echo'],
    ['llama-cpp-python', 'off by one position'],
    ['TGI', 'the actual token only'],
    ['ollama', 'expected one of "vllm"|"sglang"'],
  ])('refuses teachers that %s serves, with the reason', async (api, reason) => {
    const served = `{ url: 'http://a:1', model: m, api: ${api} }`;
    const { path } = await write(`teachers: [{ name: a, served: ${served}, tokenizer: t }]\n`);
    await expect(loadRunConfig(path, { environment: {} })).rejects.toThrow(reason);
  });

  it.each([
    ['served: { apiKey: s3cret }', 'teachers.1.served.apiKey', 'served.apiKeyFile'],
    [
      "served: { urls: ['http://a:1', 'http://me:s3cret@b:1'] }",
      'teachers.1.served.urls',
      'served.apiKeyFile',
    ],
  ])('refuses the secret in a teacher with %s', async (served, key, instead) => {
    const { path } = await write(`teachers: [{ name: a }, { name: b, ${served} }]\n`);
    const loading = loadRunConfig(path, { environment: {} });
    await expect(loading).rejects.toThrow(`${key}: a secret does not belong into a run file`);
    await expect(loading).rejects.toThrow(instead);
    await expect(loading).rejects.not.toThrow('s3cret');
  });

  it('takes a user in the URL from the environment alone', async () => {
    const { path } = await write();
    const url = 'nats://mesh:s3cret@127.0.0.1:4222';
    expect((await loadRunConfig(path, { environment: { NATS_URL: url } })).nats.url).toBe(url);
  });

  it('says where there is no file', async () => {
    await expect(loadRunConfig('/no/run.yaml')).rejects.toMatchObject({
      code: 'not_found',
      message: expect.stringContaining('/no/run.yaml'),
    });
  });
});
