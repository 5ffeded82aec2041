import type { Registry } from 'prom-client';
import type { RunConfig } from '../../process/config/schema.ts';
import type { Readiness } from '../../process/lifecycle/readiness.ts';
import type { Log } from '../../process/log/log.ts';
import { fitting } from '../../process/security/pem-files.ts';
import { readNamedFile, readSecretFile } from '../../process/security/read-named-file.ts';
import { OnnxModel } from './backends/onnx-model.ts';
import { servedMetrics } from './backends/served/metric-table.ts';
import type { ServedProtocol } from './backends/served/protocol.ts';
import { ServedModel } from './backends/served/served-model.ts';
import { sglang } from './backends/served/sglang.ts';
import { vllm } from './backends/served/vllm.ts';
import type { TeacherModel } from './teacher-model.ts';
import type { ServedTeacher, TeacherSettings } from './teacher-settings.ts';

/** The process that a model is loaded into. */
export interface LoadingProcess {
  readonly config: RunConfig;
  readonly register: Registry;
  readonly readiness: Readiness;
  readonly log: Log;
  /** Aborts when the process is asked to stop. */
  readonly signal: AbortSignal;
}

/** Loads the model that a teacher serves, onto what its settings name as execution and device; or reaches its server. */
export type LoadModel = (settings: TeacherSettings, process: LoadingProcess) => Promise<TeacherModel>;

/** Loads the run file's model into this process, or speaks to the server that has it. */
export const loadModel: LoadModel = (settings, process) => {
  if (settings.served !== undefined) return connectModel(settings, process);
  const { model, threads, execution, device, chatTemplate } = settings;
  const { config, log } = process;
  return OnnxModel.load(model, {
    topK: config.topK,
    threads,
    chatTemplate,
    placement: { provider: execution, device },
    onProcessor: (line) => log.info(line),
    onQuantized: (line) => log.info(line),
  });
};

const protocols: Readonly<Record<ServedTeacher['served']['api'], ServedProtocol>> = { vllm, sglang };

function connectModel(
  { name, key, served, tokenizer, chatTemplate }: ServedTeacher,
  { config, register, readiness, log, signal }: LoadingProcess,
): Promise<TeacherModel> {
  const { api, model, apiKeyFile, tls, inFlight } = served;
  const apiKey =
    apiKeyFile === undefined ? undefined : readSecretFile(`${key}.served.apiKeyFile`, apiKeyFile);
  const caKey = `${key}.served.tls.ca`;
  const ca =
    tls && fitting(caKey, { ca: readNamedFile(caKey, tls.ca), certificate: undefined, key: undefined }).ca;
  return ServedModel.connect({
    teacher: name,
    protocol: protocols[api],
    servers: urlsOf(served).map((url) => ({ url, apiKey, ca })),
    model,
    tokenizer,
    chatTemplate,
    topK: config.topK,
    contextLength: config.contextLength,
    inFlight,
    metrics: servedMetrics(register),
    log,
    signal,
    onState: (problem) => {
      if (problem === undefined) readiness.has('server');
      else readiness.lacks('server', problem);
    },
  });
}

const urlsOf = ({ url, urls }: ServedTeacher['served']): readonly string[] => urls ?? (url ? [url] : []);
