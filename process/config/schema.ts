import { z } from 'zod';
import { duration } from './duration.ts';
import { runNamePattern, runNameRule } from './run-name.ts';
import { unusableServers } from './unusable-servers.ts';

const runName = z.string().regex(runNamePattern, runNameRule);
const address = z.string().regex(/^.+:\d{1,5}$/, 'use HOST:PORT');
const listen = address
  .optional()
  .describe('Where it listens, where that is not its address: 0.0.0.0:PORT for every interface.');
const advertise = address
  .optional()
  .describe(
    'Where others reach this process, as NATS tells them: HOST:PORT of a replica, a container, a relay.',
  );
const port = z.number().int().min(0).max(65535);
const file = z.string().min(1);
const serverUrl = z.url({ protocol: /^https?$/, error: 'use a url such as http://127.0.0.1:8000' });
const execution = z.enum(['cpu', 'cuda', 'webgpu']).default('cpu');
const device = z.number().int().min(0).default(0);
const chatTemplate = file.optional();
const served = z
  .strictObject({
    url: serverUrl.optional().describe('Where the server listens, as http://HOST:PORT.'),
    urls: z.array(serverUrl).min(1).optional().describe('Several servers of one model; instead of url.'),
    api: z
      .enum(['vllm', 'sglang'], { error: ({ input }) => unusableServers[String(input).toLowerCase()] })
      .describe('What serves: how it is asked.'),
    model: z.string().min(1).describe('Name of the model at the server.'),
    apiKeyFile: file.optional().describe('A file that holds the API key, where the server wants one.'),
    tls: z
      .strictObject({ ca: file.describe('Certificates of the CA that signed that of the server.') })
      .optional()
      .describe('For an https url; left out, the CAs that Node.js trusts.'),
    inFlight: z.number().int().min(1).max(1024).default(32).describe('Most requests a server has at a time.'),
  })
  .describe('A model that a vLLM or SGLang server computes, instead of model.');
const text = z.strictObject({
  domain: runName.describe('Label under which losses are reported.'),
  path: z
    .string()
    .describe(
      'A .txt, .jsonl, .json or .parquet file, a directory of them, or a pattern such as data/train-*.',
    ),
  column: z
    .string()
    .min(1)
    .optional()
    .describe(
      'The key or column that holds a text or messages; by default messages, conversations, prompt and completion, or text.',
    ),
  invalid: z
    .enum(['refuse', 'skip'])
    .optional()
    .describe(
      'What becomes of rows that are null, empty or broken: refused by default, or left out and counted.',
    ),
  learn: z
    .enum(['assistant', 'completion', 'all'])
    .optional()
    .describe(
      'What is learnt of a row; by default what assistants say in messages, the completion of a prompt, all of a text.',
    ),
});

/**
 * The run file: one YAML file describes a whole run, and every process reads the part that concerns it.
 * Paths are relative to the file. Every value can be overridden (see load-config.ts).
 */
export const runConfigSchema = z.strictObject({
  run: runName.describe('Name of the run; part of every NATS subject and metric label.'),
  nats: z
    .strictObject({
      url: z
        .union([z.string(), z.array(z.string().min(1)).min(1)])
        .transform((url) => [url].flat().join(','))
        .default('nats://127.0.0.1:4222')
        .describe('Where the NATS server listens; the servers of a cluster as a list, or with commas.'),
      user: z.string().min(1).optional().describe('With passwordFile or NATS_PASSWORD.'),
      passwordFile: file.optional().describe('A file that holds the password of the user.'),
      tokenFile: file.optional().describe('A file that holds the token, where the server wants one.'),
      credentialsFile: file
        .optional()
        .describe('A .creds file: a JWT and the nkey seed that belongs to it, as `nsc` writes them.'),
      tls: z
        .strictObject({
          ca: file.optional().describe('Certificates of the CA; left out, those that Node.js trusts.'),
          certificate: file.optional().describe('Of this client, where the server demands one.'),
          key: file.optional(),
        })
        .optional()
        .describe('Encrypts the connection and checks the server; {} takes the CAs that Node.js trusts.'),
      domain: z
        .string()
        .regex(/^[\w-]+$/, 'use letters, digits, dashes')
        .optional()
        .describe('JetStream domain that the streams are in, as behind a leaf node.'),
      replicas: z
        .union([z.literal(1), z.literal(3), z.literal(5)])
        .default(1)
        .describe(
          'Servers of a cluster that hold each stream of the run and its consumers; 3 survive the loss of one.',
        ),
      maxDocuments: z
        .number()
        .int()
        .min(1)
        .default(1024)
        .describe('Documents the stream holds; the feeder waits beyond.'),
      maxDistributions: z
        .number()
        .int()
        .min(1)
        .default(1024)
        .describe(
          'Distributions the stream holds of each teacher; the teacher waits beyond. At least maxDocuments.',
        ),
      sync: z
        .union([z.literal('always'), z.number().int().min(1)])
        .optional()
        .describe(
          'When the server that `up` starts puts on disk what it acknowledged: always, or every so many seconds. ' +
            'Needs nats-server 2.10; left out, the server decides (every two minutes).',
        ),
    })
    .prefault({}),
  security: z
    .strictObject({
      tls: z
        .strictObject({
          certificate: file.optional().describe('PEM chain of what serves; every name that it is called by.'),
          key: file.optional().describe('PEM private key of the certificate.'),
          ca: file
            .optional()
            .describe('PEM certificates of the CA that signed them; left out, those that Node.js trusts.'),
          clientCertificates: z
            .boolean()
            .default(false)
            .describe('Demands a certificate of the same CA from who calls, and shows ours when we call.'),
        })
        .optional()
        .describe('Encrypts gRPC and HTTP; left out, both are plain text.'),
      tokenFile: file
        .optional()
        .describe('A file that holds the token of the run: who has it may call. Or FUSEMESH_TOKEN.'),
      insecure: z
        .boolean()
        .default(false)
        .describe('Allows plain text beyond this machine, on a network that you trust.'),
    })
    .prefault({}),
  contextLength: z
    .number()
    .int()
    .min(16)
    .describe('Most tokens a document may have, in every tokenizer of the run.'),
  corpus: z
    .union([
      z.array(text),
      z.strictObject({
        recording: file.describe(
          'Directory that `fusemesh record` wrote: no feeder and no teacher is needed.',
        ),
      }),
    ])
    .default([])
    .describe('What the teachers score and the target trains on: texts, or what was recorded of some.'),
  onPolicy: z
    .strictObject({
      prompts: z
        .array(text)
        .min(1)
        .describe(
          "What the target answers or goes on with: rows with prompt or messages; a row's key teacher names who " +
            'judges its completion alone.',
        ),
      maxNewTokens: z.number().int().min(1).default(256).describe('Most tokens of a completion.'),
      temperature: z
        .number()
        .positive()
        .default(1)
        .describe('Of the sampling: above 1 more varied, below less.'),
      topP: z
        .number()
        .gt(0)
        .max(1)
        .default(1)
        .describe('Tokens are drawn from the fewest that hold this much probability.'),
      perPrompt: z
        .number()
        .int()
        .min(1)
        .default(1)
        .describe('Completions of each prompt, one after another.'),
      share: z
        .number()
        .gt(0)
        .max(1)
        .default(1)
        .describe('Of all documents, those that the target writes; the rest are of the corpus (λ of GKD).'),
      loss: z
        .enum(['ce', 'reverseKL', 'jsd', 'policyGradient'])
        .default('reverseKL')
        .describe(
          'What draws the target to its judges in what it wrote: as fusion.loss, with the mass outside of the ' +
            'candidates as one bucket; or the log-probability of the drawn tokens alone.',
        ),
      beta: z.number().gt(0).lt(1).default(0.5).describe('For loss: jsd, as fusion.beta.'),
      staleness: z
        .number()
        .int()
        .min(0)
        .default(1)
        .describe(
          'How many steps older than the weights that are trained those that wrote a document may be; 0 waits for ' +
            'each step.',
        ),
    })
    .optional()
    .describe('The target writes texts itself, and the teachers judge them: on-policy distillation.'),
  seed: z.number().int().min(0).default(0).describe('Decides the order in which the corpus is taken.'),
  heldOut: z.array(text).default([]).describe('Texts for the final table; never trained on.'),
  topK: z
    .number()
    .int()
    .min(1)
    .max(1024)
    .default(50)
    .describe('The most candidates that a teacher sends for a token.'),
  topP: z
    .number()
    .gt(0)
    .max(1)
    .default(0.98)
    .describe('Of these, the fewest that hold this share of their probability are sent.'),
  teachers: z
    .array(
      z.strictObject({
        name: runName,
        address: address.describe('Where its gRPC service is called, and listens.'),
        listen,
        advertise,
        model: z
          .string()
          .optional()
          .describe(
            'Hugging Face directory or exported .onnx file; it or served is needed where the teacher is started from ' +
              'this file.',
          ),
        served: served.optional(),
        tokenizer: z
          .string()
          .optional()
          .describe(
            'Directory with the tokenizer.json of a served model, and its config.json where there is one.',
          ),
        threads: z.number().int().min(1).default(1),
        execution: execution.describe(
          'What computes: the processor, an NVIDIA GPU (cuda), or a GPU of any vendor (webgpu).',
        ),
        device: device.describe('Which of several GPUs, with execution: cuda.'),
        chatTemplate: chatTemplate.describe(
          "How it reads conversations: a file in Jinja, in the place of the model's own chat template.",
        ),
        batchDocuments: z.number().int().min(1).default(8).describe('Documents scored together.'),
        metricsPort: port.default(0).describe('HTTP port of /metrics; 0 picks a free one.'),
      }),
    )
    .default([])
    .describe('One at least; with corpus.recording those of it that teach, all where none is named.'),
  target: z.strictObject({
    model: z.string().describe('Hugging Face directory of the model to be taught.'),
    chatTemplate: chatTemplate.describe('As of a teacher.'),
    lora: z
      .strictObject({
        rank: z.number().int().min(1).default(8),
        alpha: z.number().positive().default(16).describe('The adapters count alpha / rank.'),
        targetModules: z
          .union([z.string(), z.array(z.string()).min(1)])
          .default('all-linear')
          .describe(
            "Names of linear layers or their last parts, or a regular expression for whole names, as peft's " +
              'target_modules; all-linear takes all but the head.',
          ),
      })
      .optional()
      .describe(
        'Trains low-rank adapters and leaves the weights as they are; left out, all weights are trained.',
      ),
    source: z
      .strictObject({
        name: runName.default('target'),
        address,
        listen,
        advertise,
        threads: z.number().int().min(1).default(1),
        execution: execution.describe('As of a teacher; it need not be that of the trainer.'),
        device,
        batchDocuments: z.number().int().min(1).default(8),
        metricsPort: port.default(0),
      })
      .optional()
      .describe(
        'Serves a frozen copy of the target as one more teacher, as FuseLLM does; left out, it is none.',
      ),
    service: z
      .strictObject({
        address,
        listen,
        advertise,
        httpPort: port
          .default(0)
          .describe('Of the OpenAI-compatible front (/v1) and of /metrics; 0 picks a free one.'),
        threads: z.number().int().min(1).default(1),
        execution: execution.describe('As of a teacher; it need not be that of the trainer.'),
        device,
        slots: z
          .number()
          .int()
          .min(1)
          .max(1024)
          .default(16)
          .describe('Most answers that are written at a time.'),
        cacheTokens: z
          .number()
          .int()
          .min(16)
          .optional()
          .describe(
            'Tokens that the key-value cache has room for, all answers together; by default slots times the context, ' +
              '65,536 at most.',
          ),
      })
      .optional()
      .describe('Serves the target while it learns; needed with onPolicy.'),
  }),
  fusion: z
    .strictObject({
      preset: z
        .enum(['fusellm'])
        .optional()
        .describe(
          'Sets what is left out below as FuseLLM does it: dtw, minED, minCE by tokens, renormalise.',
        ),
      align: z
        .enum(['boundary', 'dtw'])
        .optional()
        .describe(
          'Where tokens of source and target meet: at shared character boundaries, or by time warping.',
        ),
      vocabulary: z
        .enum(['exact', 'minED', 'prefix'])
        .optional()
        .describe(
          'Which target token a source token becomes: that of the same text or none, the one of least edit ' +
            'distance, or the first that the target makes of its text.',
        ),
      combine: z
        .enum(['minCE', 'evidence', 'avgCE', 'fixed'])
        .optional()
        .describe(
          'All sources at each position, by how well they predicted the text before it; the best one of each text; or ' +
            'all throughout a text, by cross-entropy or by fixed weights.',
        ),
      sharpness: z
        .number()
        .gt(0)
        .default(0.05)
        .describe('For combine: evidence. 1 weighs by Bayes; nearer to 0, weights are nearer to each other.'),
      switching: z
        .number()
        .gt(0)
        .lt(1)
        .default(0.2)
        .describe(
          'For combine: evidence. What part of the weight is shared out evenly after each word or so.',
        ),
      weights: z.record(runName, z.number().min(0)).optional().describe('By source, for combine: fixed.'),
      temperature: z.number().positive().default(1).describe('Flattens sources above 1, sharpens below.'),
      truncated: z
        .enum(['renormalise', 'tail'])
        .optional()
        .describe(
          'The tail mass, outside of the top k: added to the candidates in proportion, or left as the target has it.',
        ),
      unaligned: z
        .enum(['text', 'nothing'])
        .optional()
        .describe('What the fusion loss learns at positions where no source has a distribution.'),
      loss: z
        .enum(['ce', 'reverseKL', 'jsd'])
        .default('ce')
        .describe(
          'What draws the target to the fused distribution: cross-entropy as in the paper; or, with the mass ' +
            'outside of the candidates as one bucket, reverse KL or a generalised Jensen-Shannon divergence.',
        ),
      beta: z
        .number()
        .gt(0)
        .lt(1)
        .default(0.5)
        .describe('For loss: jsd. Near 0 as forward KL, near 1 as reverse KL.'),
    })
    .prefault({}),
  trainer: z.strictObject({
    address: address.default('127.0.0.1:50050').describe('Where the trainer service is called, and listens.'),
    listen,
    advertise,
    metricsPort: port.default(9464),
    output: z.string().describe('Directory for checkpoints and the fused model.'),
    threads: z.number().int().min(1).default(2),
    batchDocuments: z.number().int().min(1).default(8).describe('Documents in one optimizer step.'),
    tokensAtOnce: z
      .number()
      .int()
      .min(16)
      .default(1024)
      .describe(
        'Tokens of a step that are computed together, one document at least; the gradients of a larger step are ' +
          'summed part by part. More is faster up to a point, and takes more memory.',
      ),
    recompute: z
      .boolean()
      .default(false)
      .describe('Computes each block again in the backward pass: far less memory, a third more time.'),
    execution: execution.describe(
      "What computes: the processor, an NVIDIA GPU by ONNX Runtime's CUDA libraries, or a GPU of any vendor by WebGPU.",
    ),
    device: device.describe('Which of several GPUs, with execution: cuda.'),
    precision: z
      .enum(['float32', 'float16', 'bfloat16'])
      .default('float32')
      .describe(
        'Of matrix products with execution: cuda; weights, sums and optimizer state are float32 always.',
      ),
    activations: z
      .enum(['float32', 'bfloat16'])
      .default('float32')
      .describe(
        'In what activations are kept between blocks, and for the backward pass: bfloat16 takes half the memory.',
      ),
    offload: z
      .enum(['none', 'host'])
      .default('none')
      .describe(
        "Keeps weights, gradients and optimizer state in this machine's memory, and brings each block's weights to " +
          'the GPU while the block before is computed: for models whose state the GPU has no room for.',
      ),
    join: z
      .union(
        [
          z.literal('all'),
          z.strictObject({ atLeast: z.number().int().min(1), within: duration.default('30s') }),
        ],
        { error: 'use all, or { atLeast: 2, within: 30s } with your own figures' },
      )
      .default('all')
      .describe(
        'Whom a document waits for: all sources; or at most so long for those beyond a number of them, the ' +
          "target's frozen copy counted.",
      ),
    steps: z
      .number()
      .int()
      .min(1)
      .optional()
      .describe('Steps to train; by default all passes over the corpus.'),
    epochs: z
      .number()
      .int()
      .min(1)
      .default(1)
      .describe(
        'Passes over the corpus, each in an order of its own; the teachers are asked in the first alone.',
      ),
    recordingBytes: z
      .number()
      .int()
      .min(1)
      .default(2 ** 34)
      .describe('Most that a run of several epochs keeps on disk of what the teachers said.'),
    lambda: z
      .number()
      .min(0)
      .max(1)
      .optional()
      .describe('Weight of the causal loss against the fusion loss; left out 0.15, with preset fusellm 0.9.'),
    learningRate: z.number().positive().default(1e-5).describe('Peak of the schedule.'),
    schedule: z
      .enum(['cosine', 'linear', 'constant'])
      .default('cosine')
      .describe('The learning rate after the linear warm-up: half a cosine or a line to 0, or constant.'),
    warmupRatio: z.number().min(0).max(1).default(0.008).describe('Share of all steps.'),
    warmupSteps: z.number().int().min(0).optional().describe('Their number; wins over warmupRatio.'),
    weightDecay: z.number().min(0).default(0.1),
    beta1: z.number().min(0).lt(1).default(0.9),
    beta2: z.number().min(0).lt(1).default(0.95),
    clipNorm: z.number().positive().default(1),
    evaluateEvery: z
      .number()
      .int()
      .min(1)
      .optional()
      .describe(
        'Steps between evaluations on heldOut; the best checkpoint is kept. Left out, there are none.',
      ),
    checkpointEvery: z.number().int().min(1).default(50).describe('Steps between checkpoints.'),
    weightsEvery: z
      .number()
      .int()
      .min(1)
      .default(1)
      .describe('Steps after which target.service gets the new weights.'),
    keepCheckpoints: z.number().int().min(1).default(2).describe('How many of the last are kept.'),
  }),
});

export type RunConfig = z.infer<typeof runConfigSchema>;
