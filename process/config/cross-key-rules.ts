import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { recordingOf } from './corpus-of-run.ts';
import { combineOf, presetOf } from './fusion-presets.ts';
import { sourcesOf } from './run-sources.ts';
import type { RunConfig } from './schema.ts';

/** What is wrong with keys that do not go together, and what to do; undefined where nothing is. */
type Rule = (config: RunConfig) => string | undefined;

/** The recording has their names. */
const sourcesAreKnown = (config: RunConfig): boolean =>
  recordingOf(config) === undefined || config.teachers.length > 0;

const namesOf = (config: RunConfig): string[] => sourcesOf(config).map(({ name }) => name);
const alignOf = ({ fusion }: Pick<RunConfig, 'fusion'>): 'boundary' | 'dtw' =>
  fusion.align ?? presetOf(fusion).align;

/** Two sources of one name would share their work and their subject. */
const sourcesHaveNamesOfTheirOwn: Rule = (config) => {
  const names = namesOf(config);
  const again = names.find((name, i) => names.indexOf(name) < i);
  return again === undefined
    ? undefined
    : `two sources are named "${again}": give each of teachers and target.source a name of its own`;
};

const somebodyTeaches: Rule = (config) =>
  config.teachers.length > 0 || !sourcesAreKnown(config)
    ? undefined
    : 'teachers is missing: name one at least, or a recording in corpus.recording';

const joinAsksForSourcesThatThereAre: Rule = (config) => {
  if (recordingOf(config) !== undefined) return undefined;
  const { join } = config.trainer;
  const names = namesOf(config);
  return join === 'all' || join.atLeast <= names.length
    ? undefined
    : `trainer.join.atLeast is ${join.atLeast}, but the run has ${names.length} sources (${names.join(', ')}): lower it`;
};

const weightsAreOfSources: Rule = (config) => {
  if (!sourcesAreKnown(config)) return undefined;
  const names = namesOf(config);
  const unknown = Object.keys(config.fusion.weights ?? {}).find((name) => !names.includes(name));
  return unknown === undefined
    ? undefined
    : `fusion.weights names "${unknown}"; the sources of the run are ${names.join(', ')}`;
};

const fixedCombinationHasWeights: Rule = (config) =>
  combineOf(config.fusion) !== 'fixed' ||
  Object.values(config.fusion.weights ?? {}).some((weight) => weight > 0)
    ? undefined
    : 'fusion.combine is fixed, but fusion.weights gives no source a weight: give one to each that is to teach';

const weightsAreUsed: Rule = (config) =>
  combineOf(config.fusion) === 'fixed' || config.fusion.weights === undefined
    ? undefined
    : `fusion.weights has no use with fusion.combine ${combineOf(config.fusion)}: set it to fixed, or leave the weights out`;

const timeWarpingHasNoEvidence: Rule = ({ fusion }) =>
  alignOf({ fusion }) !== 'dtw' || fusion.combine !== 'evidence'
    ? undefined
    : 'fusion.combine evidence goes with fusion.align boundary: it compares sources where they have read the same text';

const timeWarpingHasNoTail: Rule = (config) =>
  alignOf(config) !== 'dtw' || config.fusion.truncated !== 'tail'
    ? undefined
    : 'fusion.truncated tail goes with fusion.align boundary: FuseLLM gives all mass to the candidates';

const timeWarpingTrainsByCrossEntropy: Rule = (config) =>
  alignOf(config) !== 'dtw' || config.fusion.loss === 'ce'
    ? undefined
    : `fusion.loss ${config.fusion.loss} goes with fusion.align boundary: FuseLLM trains by cross-entropy`;

const onlyCudaReducesPrecision: Rule = ({ trainer: { execution, precision } }) =>
  execution === 'cuda' || precision === 'float32'
    ? undefined
    : `trainer.precision is ${precision}, but trainer.execution is ${execution}, which computes in float32: leave the precision out, or set trainer.execution: cuda`;

const onlyGpusHaveAHost: Rule = ({ trainer: { execution, offload } }) =>
  execution !== 'cpu' || offload === 'none'
    ? undefined
    : 'trainer.offload is host, but trainer.execution is cpu, where all is in that memory already: leave the offload out, or set trainer.execution: cuda';

/** Its kernels know no bfloat16. */
const webgpuKeepsFloat32: Rule = ({ trainer: { execution, activations } }) =>
  execution !== 'webgpu' || activations === 'float32'
    ? undefined
    : `trainer.activations is ${activations}, which trainer.execution webgpu does not compute with: leave it out, or set trainer.execution: cuda`;

/** WebGPU offers no choice: its driver gives the GPU. */
const onlyCudaPicksADevice: Rule = (config) => {
  const placed = [...sourcesOf(config), { ...config.trainer, key: 'trainer' }];
  const wrong = placed.find(({ execution, device }) => execution !== 'cuda' && device > 0);
  return wrong === undefined
    ? undefined
    : `${wrong.key}.device is ${wrong.device}, but ${wrong.key}.execution is ${wrong.execution}, which has no numbered devices: leave the device out, or set ${wrong.key}.execution: cuda`;
};

/** What of a teacher says where and how its own process computes, at its default. */
const computing = { threads: 1, execution: 'cpu', device: 0, batchDocuments: 8 } as const;

const servedTeachersAreWhole: Rule = ({ teachers }) => {
  for (const [i, { model, served, tokenizer, ...teacher }] of teachers.entries()) {
    const key = `teachers.${i}`;
    if (served === undefined) {
      if (tokenizer === undefined) continue;
      return `${key}.tokenizer goes with ${key}.served: a model that is loaded has its own`;
    }
    if (model !== undefined) return `${key} has a model and served: keep one of them`;
    if (tokenizer === undefined) {
      return `${key}.tokenizer is missing: name a directory with the tokenizer.json of the served model`;
    }
    if ((served.url === undefined) === (served.urls === undefined)) {
      return `${key}.served: name its server in url, or several in urls`;
    }
    const idle = Object.entries(computing).find(
      ([name, value]) => teacher[name as keyof typeof computing] !== value,
    );
    if (idle)
      return `${key}.${idle[0]} has no use with ${key}.served, where the server computes: leave it out`;
  }
  return undefined;
};

const evaluationHasTexts: Rule = ({ trainer: { evaluateEvery }, heldOut }) =>
  evaluateEvery === undefined || heldOut.length > 0
    ? undefined
    : `trainer.evaluateEvery is ${evaluateEvery}, but heldOut names no texts to evaluate on: add some, or leave it out`;

const natsHasOneWayIn: Rule = ({ nats: { user, passwordFile, tokenFile, credentialsFile } }) => {
  const named = Object.entries({ user: user ?? passwordFile, tokenFile, credentialsFile });
  const ways = named.flatMap(([key, value]) => (value === undefined ? [] : [`nats.${key}`]));
  return ways.length <= 1 ? undefined : `${ways.join(' and ')} are two ways into NATS: keep one of them`;
};

const natsCertificateHasItsKey: Rule = ({ nats: { tls } }) =>
  (tls?.certificate === undefined) === (tls?.key === undefined)
    ? undefined
    : 'nats.tls: name both certificate and key, or neither';

/**
 * A teacher that dies with documents in hand leaves gaps, and others go on. With room for a distribution of every
 * document there is, what fills the gaps always finds some; with less, the run could stand still.
 */
const everyDocumentHasRoomForDistributions: Rule = ({ nats: { maxDocuments, maxDistributions } }) =>
  maxDistributions >= maxDocuments
    ? undefined
    : `nats.maxDistributions is ${maxDistributions}, less than nats.maxDocuments ${maxDocuments}: raise the one or lower the other`;

const runHasDocuments: Rule = ({ corpus, onPolicy }) =>
  'recording' in corpus || corpus.length > 0 || onPolicy !== undefined
    ? undefined
    : 'corpus is missing: name texts, a recording, or onPolicy.prompts';

const onPolicyHasWhatItNeeds: Rule = (config) => {
  const { onPolicy, corpus, target, trainer } = config;
  if (onPolicy === undefined) return undefined;
  if (recordingOf(config) !== undefined) {
    return 'onPolicy asks the teachers about what the target writes, but corpus.recording has no teachers: name texts, or leave onPolicy out';
  }
  if (target.service === undefined)
    return 'target.service is missing, by which onPolicy has the target write: give its address';
  const ofCorpus = 'recording' in corpus || corpus.length > 0;
  if (ofCorpus && onPolicy.share === 1) {
    return 'onPolicy.share is 1, which leaves the corpus no document: lower it, or leave the corpus out';
  }
  if (!ofCorpus && onPolicy.share < 1) {
    return `onPolicy.share is ${onPolicy.share}, but there is no corpus for the rest: name one, or set the share to 1`;
  }
  if (trainer.epochs > 1) {
    return `trainer.epochs is ${trainer.epochs}, but with onPolicy no document comes twice: leave it out`;
  }
  if (trainer.weightsEvery > onPolicy.staleness + 1) {
    return `trainer.weightsEvery is ${trainer.weightsEvery}, but onPolicy.staleness ${onPolicy.staleness} asks for new weights every ${onPolicy.staleness + 1} steps at least: lower the one or raise the other`;
  }
  return undefined;
};

const policyGradientHasNoTemperature: Rule = ({ fusion: { temperature }, onPolicy }) =>
  onPolicy?.loss !== 'policyGradient' || temperature === 1
    ? undefined
    : `fusion.temperature is ${temperature}, but onPolicy.loss policyGradient has no other candidates to flatten a token against: leave it out`;

const rolloutsAreAligned: Rule = (config) =>
  config.onPolicy === undefined || alignOf(config) === 'boundary'
    ? undefined
    : 'fusion.align is dtw, which aligns plain texts alone, but what the target writes with onPolicy is a turn behind a prompt: set fusion.align: boundary';

/** The streams hold what no checkpoint covers. */
const streamHoldsWhatComesBetweenCheckpoints: Rule = (config) => {
  if (recordingOf(config) !== undefined) return undefined;
  const { nats, trainer } = config;
  const { maxDocuments } = nats;
  const between = trainer.checkpointEvery * trainer.batchDocuments;
  return maxDocuments >= between
    ? undefined
    : `nats.maxDocuments is ${maxDocuments}, but a checkpoint, which makes room in the stream, comes only every ` +
        `${between} documents (trainer.checkpointEvery × trainer.batchDocuments): raise the one or lower the others`;
};

/** Every rule that spans several keys of a run file and needs nothing but the file. */
const crossKeyRules: readonly Rule[] = [
  sourcesHaveNamesOfTheirOwn,
  somebodyTeaches,
  joinAsksForSourcesThatThereAre,
  weightsAreOfSources,
  fixedCombinationHasWeights,
  weightsAreUsed,
  timeWarpingHasNoEvidence,
  timeWarpingHasNoTail,
  timeWarpingTrainsByCrossEntropy,
  onlyCudaReducesPrecision,
  onlyGpusHaveAHost,
  webgpuKeepsFloat32,
  onlyCudaPicksADevice,
  servedTeachersAreWhole,
  evaluationHasTexts,
  natsHasOneWayIn,
  natsCertificateHasItsKey,
  everyDocumentHasRoomForDistributions,
  streamHoldsWhatComesBetweenCheckpoints,
  runHasDocuments,
  onPolicyHasWhatItNeeds,
  policyGradientHasNoTemperature,
  rolloutsAreAligned,
];

/**
 * Refuses keys that do not go together.
 *
 * @param where what to call the config in a message: the path of the run file
 * @throws FuseMeshError invalid_argument that names the keys of every rule that is broken
 */
export function refuseContradictions(config: RunConfig, where: string): void {
  const problems = crossKeyRules.flatMap((rule) => rule(config) ?? []);
  if (problems.length === 0) return;
  throw new FuseMeshError('invalid_argument', `${where}: ${problems.join('; ')}`);
}
