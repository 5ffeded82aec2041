import { z } from 'zod';

const name = z.string().regex(/^[a-zA-Z0-9._-]+$/);
const duration = z.string().regex(/^(\d+(ms|s|m|h))+$/);
const strings = z.array(z.string()).min(1);

const healthcheck = z.strictObject({
  test: z.tuple([z.enum(['CMD', 'CMD-SHELL'])], z.string()).refine((test) => test.length > 1),
  interval: duration,
  timeout: duration,
  retries: z.number().int().positive(),
  start_period: duration.optional(),
});

const build = z.strictObject({ context: z.string(), dockerfile: z.string(), target: name });

const service = z
  .strictObject({
    image: z.string(),
    build: build.optional(),
    cap_drop: z.tuple([z.literal('ALL')]),
    command: strings.optional(),
    cpus: z.number().positive(),
    depends_on: z
      .record(
        name,
        z.strictObject({
          condition: z.enum(['service_started', 'service_healthy', 'service_completed_successfully']),
        }),
      )
      .default({}),
    environment: z.record(z.string(), z.string()).optional(),
    healthcheck: healthcheck.optional(),
    init: z.boolean().optional(),
    logging: z.strictObject({
      driver: z.literal('local'),
      options: z.strictObject({
        'max-size': z.string().regex(/^\d+m$/),
        'max-file': z.string().regex(/^\d+$/),
      }),
    }),
    mem_limit: z.string().regex(/^\d+g$/),
    pids_limit: z.number().int().positive(),
    profiles: z.array(name).optional(),
    ports: z.array(z.string().regex(/^127\.0\.0\.1:\d+:\d+$/)).optional(),
    read_only: z.literal(true),
    restart: z.enum(['no', 'always', 'on-failure', 'unless-stopped']).optional(),
    security_opt: z.tuple([z.literal('no-new-privileges:true')]),
    stop_grace_period: duration.optional(),
    tmpfs: strings,
    volumes: z.array(z.string().regex(/^([\w./-]|\$\{\w+:-\w+\})+:\/[^:]+(:ro)?$/)).default([]),
  })
  .describe('A service');

/** What Compose makes of a text with `${NAME:-default}` in it. */
export const interpolated = (text: string, environment: Readonly<Record<string, string>> = {}): string =>
  text.replaceAll(
    /\$\{(\w+):-([^}]*)\}/g,
    (_, name: string, otherwise: string) => environment[name] || otherwise,
  );

/**
 * The part of the Compose Specification that our file uses, and nothing else: a key that is misspelt or new
 * to the file fails. https://github.com/compose-spec/compose-spec/blob/main/schema/compose-spec.json
 */
export const composeSchema = z
  .object({
    name,
    services: z.record(name, service),
    volumes: z.record(name, z.null()),
  })
  .catchall(z.unknown())
  .refine((file) =>
    Object.keys(file).every((key) => ['name', 'services', 'volumes'].includes(key) || key.startsWith('x-')),
  );

const gpu = z.strictObject({
  resources: z.strictObject({
    reservations: z.strictObject({
      devices: z.tuple([
        z.strictObject({
          driver: z.literal('nvidia'),
          count: z.number().int().positive(),
          capabilities: z.array(z.literal('gpu')).length(1),
        }),
      ]),
    }),
  }),
});
const settings = z.record(z.string(), z.string());

const onGpu = z.strictObject({
  image: z.string(),
  build,
  environment: settings,
  deploy: gpu,
});

/** A file that is laid over the other: services with a device of their own, and nothing else. */
export const gpuOverrideSchema = z.strictObject({
  'x-gpu': onGpu.omit({ environment: true }),
  services: z.record(name, onGpu),
});

/** A file that is laid over the other: a server of others, and settings of ours. */
export const servedOverrideSchema = z.strictObject({
  'x-shorter': z.strictObject({ environment: settings }),
  services: z
    .object({
      vllm: z.strictObject({
        image: z.string(),
        command: strings,
        environment: settings,
        restart: z.literal('unless-stopped'),
        volumes: strings,
        deploy: gpu,
      }),
    })
    .catchall(z.strictObject({ environment: settings })),
});
