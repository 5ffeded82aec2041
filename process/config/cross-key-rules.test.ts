import { expect, it } from 'vitest';
import { refuseContradictions } from './cross-key-rules.ts';
import { type RunConfig, runConfigSchema } from './schema.ts';

function config(change: (draft: RunConfig) => void = () => {}): RunConfig {
  const draft = runConfigSchema.parse({
    run: 'demo',
    contextLength: 128,
    corpus: [{ domain: 'fiction', path: 'fiction.txt' }],
    teachers: [
      { name: 'orator', address: '127.0.0.1:50051' },
      { name: 'novelist', address: '127.0.0.1:50052' },
    ],
    target: { model: 'target', source: { address: '127.0.0.1:50053' } },
    trainer: { output: 'output' },
  });
  change(draft);
  return draft;
}

const refuse = (change: (draft: RunConfig) => void) => () => refuseContradictions(config(change), 'run.yaml');
const withFusion = (fusion: Partial<RunConfig['fusion']>) =>
  refuse((draft) => {
    Object.assign(draft.fusion, fusion);
  });

it('takes the defaults', () => {
  expect(() => refuseContradictions(config(), 'run.yaml')).not.toThrow();
});

it('refuses two sources of one name, the frozen copy of the target among them', () => {
  expect(
    refuse(({ target }) => {
      target.source!.name = 'novelist';
    }),
  ).toThrow('run.yaml: two sources are named "novelist"');
  expect(
    refuse(({ teachers }) => {
      teachers[1].name = 'orator';
    }),
  ).toThrow('two sources are named "orator": give each of teachers and target.source a name of its own');
});

it('refuses to wait for more sources than there are', () => {
  const join = (atLeast: number) =>
    refuse(({ trainer }) => {
      trainer.join = { atLeast, within: '30s' };
    });
  expect(join(3)).not.toThrow();
  expect(join(4)).toThrow(
    'trainer.join.atLeast is 4, but the run has 3 sources (orator, novelist, target): lower it',
  );
});

it('needs a teacher, unless a recording has the sources', () => {
  const without = (corpus?: RunConfig['corpus']) =>
    refuse((draft) => {
      draft.teachers = [];
      draft.fusion.combine = 'fixed';
      draft.fusion.weights = { poet: 1 };
      if (corpus) draft.corpus = corpus;
    });
  expect(without()).toThrow('teachers is missing: name one at least, or a recording in corpus.recording');
  // Whether the weights are of sources shows when the recording is read.
  expect(without({ recording: 'recorded' })).not.toThrow();
});

it('refuses weights that go with nothing', () => {
  expect(withFusion({ combine: 'fixed', weights: { orator: 1, target: 3 } })).not.toThrow();
  expect(withFusion({ combine: 'fixed', weights: { poet: 1 } })).toThrow(
    'fusion.weights names "poet"; the sources of the run are orator, novelist, target',
  );
  expect(withFusion({ combine: 'fixed' })).toThrow('gives no source a weight');
  expect(withFusion({ combine: 'fixed', weights: { orator: 0 } })).toThrow('gives no source a weight');
  expect(withFusion({ weights: { orator: 1 } })).toThrow('has no use with fusion.combine evidence');
});

it('refuses a tail and other losses where tokens are aligned by time warping, by preset too', () => {
  expect(withFusion({ align: 'dtw' })).not.toThrow();
  expect(withFusion({ align: 'dtw', truncated: 'tail' })).toThrow(
    'fusion.truncated tail goes with fusion.align boundary',
  );
  expect(withFusion({ preset: 'fusellm', truncated: 'tail' })).toThrow('goes with fusion.align boundary');
  expect(withFusion({ preset: 'fusellm', loss: 'jsd' })).toThrow(
    'fusion.loss jsd goes with fusion.align boundary',
  );
  expect(withFusion({ preset: 'fusellm', align: 'boundary', loss: 'jsd' })).not.toThrow();
});

it('refuses reduced precision where it is not computed', () => {
  const precision = (execution: RunConfig['trainer']['execution']) =>
    refuse(({ trainer }) => {
      Object.assign(trainer, { execution, precision: 'bfloat16' });
    });
  expect(precision('cuda')).not.toThrow();
  for (const execution of ['cpu', 'webgpu'] as const) {
    expect(precision(execution)).toThrow(
      `trainer.precision is bfloat16, but trainer.execution is ${execution}, which computes in float32: ` +
        'leave the precision out, or set trainer.execution: cuda',
    );
  }
});

it('refuses offload without a device, and activations that WebGPU does not know', () => {
  const trainer = (keys: Partial<RunConfig['trainer']>) =>
    refuse((draft) => {
      Object.assign(draft.trainer, keys);
    });
  expect(trainer({ execution: 'webgpu', offload: 'host' })).not.toThrow();
  expect(trainer({ execution: 'cpu', offload: 'host' })).toThrow(
    'trainer.offload is host, but trainer.execution is cpu',
  );
  expect(trainer({ execution: 'cpu', activations: 'bfloat16' })).not.toThrow();
  expect(trainer({ execution: 'webgpu', activations: 'bfloat16' })).toThrow(
    'trainer.activations is bfloat16, which trainer.execution webgpu does not compute with',
  );
});

it('refuses the number of a device where there is none to pick, of trainer, teachers and frozen copy', () => {
  const places = {
    trainer: ({ trainer }: RunConfig) => trainer,
    'teachers.1': ({ teachers }: RunConfig) => teachers[1],
    'target.source': ({ target }: RunConfig) => target.source!,
  };
  for (const [key, of] of Object.entries(places)) {
    const place = (execution: RunConfig['trainer']['execution'], device: number) =>
      refuse((draft) => {
        Object.assign(of(draft), { execution, device });
      });
    expect(place('cuda', 3)).not.toThrow();
    expect(place('webgpu', 0)).not.toThrow();
    for (const execution of ['cpu', 'webgpu'] as const) {
      expect(place(execution, 3)).toThrow(
        `${key}.device is 3, but ${key}.execution is ${execution}, which has no numbered devices: ` +
          `leave the device out, or set ${key}.execution: cuda`,
      );
    }
  }
});

it('refuses a served teacher that is half one, and half a loaded one', () => {
  const served = { url: 'http://127.0.0.1:8000', api: 'vllm', model: 'm', inFlight: 32 } as const;
  const teacher = (keys: Partial<RunConfig['teachers'][number]>) =>
    refuse(({ teachers }) => {
      Object.assign(teachers[1], { served, tokenizer: '/t' }, keys);
    });
  expect(teacher({})).not.toThrow();
  expect(teacher({ model: 'm' })).toThrow('teachers.1 has a model and served: keep one of them');
  expect(teacher({ tokenizer: undefined })).toThrow('teachers.1.tokenizer is missing');
  expect(teacher({ served: undefined })).toThrow('teachers.1.tokenizer goes with teachers.1.served');
  const urls = ['http://127.0.0.1:8001'];
  expect(teacher({ served: { ...served, urls } })).toThrow('name its server in url, or several in urls');
  expect(teacher({ served: { ...served, url: undefined } })).toThrow('name its server in url');
  expect(teacher({ execution: 'cuda' })).toThrow('teachers.1.execution has no use with teachers.1.served');
});

it('refuses evaluations without texts', () => {
  const evaluate = (heldOut: RunConfig['heldOut']) =>
    refuse((draft) => {
      draft.trainer.evaluateEvery = 5;
      draft.heldOut = heldOut;
    });
  expect(evaluate([{ domain: 'fiction', path: 'fiction.txt' }])).not.toThrow();
  expect(evaluate([])).toThrow('trainer.evaluateEvery is 5, but heldOut names no texts to evaluate on');
});

it('refuses two ways into NATS, and a certificate without its key', () => {
  const withNats = (nats: Partial<RunConfig['nats']>) =>
    refuse((draft) => {
      Object.assign(draft.nats, nats);
    });
  expect(withNats({ user: 'mesh', passwordFile: '/p', tls: {} })).not.toThrow();
  expect(withNats({ user: 'mesh', tokenFile: '/t' })).toThrow(
    'nats.user and nats.tokenFile are two ways into NATS',
  );
  expect(withNats({ tls: { certificate: '/dev/null' } })).toThrow('nats.tls: name both certificate and key');
});

it('refuses less room for distributions than for documents', () => {
  expect(
    refuse(({ nats }) => {
      nats.maxDistributions = 1000;
    }),
  ).toThrow('nats.maxDistributions is 1000, less than nats.maxDocuments 1024');
});

it('refuses checkpoints so rare that the streams fill up, and names the keys', () => {
  expect(
    refuse(({ trainer }) => {
      trainer.checkpointEvery = 200;
    }),
  ).toThrow(/nats.maxDocuments is 1024.*trainer.checkpointEvery × trainer.batchDocuments/);
});

it('names everything that is wrong in one line', () => {
  expect(
    refuse(({ nats, fusion }) => {
      nats.maxDistributions = 1000;
      fusion.weights = { orator: 1 };
    }),
  ).toThrow(/^run\.yaml: fusion\.weights has no use [^\n]*; nats\.maxDistributions is 1000/);
});

const onPolicy = (change: (draft: RunConfig) => void = () => {}) =>
  refuse((draft) => {
    draft.corpus = [];
    draft.onPolicy = {
      prompts: [{ domain: 'questions', path: 'questions.jsonl' }],
      maxNewTokens: 64,
      temperature: 1,
      topP: 1,
      perPrompt: 1,
      share: 1,
      loss: 'reverseKL',
      beta: 0.5,
      staleness: 1,
    };
    draft.target.service = {
      address: '127.0.0.1:50054',
      httpPort: 0,
      threads: 1,
      execution: 'cpu',
      device: 0,
      slots: 4,
    };
    change(draft);
  });

it('refuses to flatten a drawn token, which a policy gradient takes alone', () => {
  const policyGradient = (temperature: number) =>
    onPolicy(({ onPolicy, fusion }) => {
      onPolicy!.loss = 'policyGradient';
      fusion.temperature = temperature;
    });
  expect(policyGradient(1)).not.toThrow();
  expect(policyGradient(2)).toThrow('fusion.temperature is 2, but onPolicy.loss policyGradient');
});

it('refuses to align by time warping what the target writes', () => {
  expect(onPolicy()).not.toThrow();
  expect(
    onPolicy(({ fusion }) => {
      fusion.preset = 'fusellm';
    }),
  ).toThrow('fusion.align is dtw, which aligns plain texts alone');
});
