import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunConfig } from '../../process/config/schema.ts';
import { tokenFor } from '../../process/security/service-security.ts';
import { httpScheme, type Place } from '../reach/reachable.ts';

/** The part of a scrape configuration of Prometheus about how it gets in. */
export interface ScrapeAccess {
  readonly scheme: 'http' | 'https';
  readonly authorization?: { readonly type: 'Bearer'; readonly credentials_file: string };
  readonly tls_config?: {
    readonly ca_file?: string;
    readonly cert_file?: string;
    readonly key_file?: string;
  };
}

/**
 * How Prometheus gets into the processes of a run. It reads no environment: a token that stands there goes into a file
 * of the directory that only its owner can read.
 *
 * @throws FuseMeshError failed_precondition when the token would go through a network in plain text
 */
export async function scrapeAccess(
  { security }: Pick<RunConfig, 'security'>,
  places: readonly Place[],
  directory: string,
): Promise<ScrapeAccess> {
  const file = join(directory, 'token');
  await rm(file, { force: true });
  const [token] = ['127.0.0.1:0', ...places.flatMap(({ metrics }) => metrics ?? [])].map((address) =>
    tokenFor(address, security),
  );
  if (token && security.tokenFile === undefined)
    await writeFile(file, `${token.reveal()}\n`, { mode: 0o600 });
  return {
    scheme: httpScheme(security),
    ...(token && { authorization: { type: 'Bearer', credentials_file: security.tokenFile ?? file } }),
    ...(security.tls && { tls_config: tlsOf(security.tls) }),
  };
}

function tlsOf({
  ca,
  certificate,
  key,
  clientCertificates,
}: NonNullable<RunConfig['security']['tls']>): NonNullable<ScrapeAccess['tls_config']> {
  return {
    ...(ca !== undefined && { ca_file: ca }),
    ...(clientCertificates && certificate && key && { cert_file: certificate, key_file: key }),
  };
}
