import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Files of a certificate and its key. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

/** A certificate authority of a test, made by openssl. */
export interface TestAuthority {
  /** Its own certificate, which others trust. */
  readonly ca: string;
  /**
   * Signs a certificate for these names ("DNS:localhost", "IP:127.0.0.1").
   *
   * @param options.days how long it is valid from now, 1 unless given; with a negative number it has expired
   */
  sign(name: string, names: readonly string[], options?: { readonly days?: number }): CertificateFiles;
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** Makes a certificate authority in a directory of its own. */
export function createAuthority(directory: string, authority = 'ca'): TestAuthority {
  const folder = join(directory, authority);
  mkdirSync(folder, { recursive: true });
  const file = (name: string) => join(folder, name);
  openssl(
    'req',
    '-x509',
    ...newKey,
    '-days',
    '2',
    '-subj',
    `/CN=${authority}`,
    '-keyout',
    file('ca.key'),
    '-out',
    file('ca.pem'),
  );
  return {
    ca: file('ca.pem'),
    sign: (name, names, { days = 1 } = {}) => {
      const key = file(`${name}.key`);
      const certificate = file(`${name}.pem`);
      openssl('req', ...newKey, '-subj', `/CN=${name}`, '-keyout', key, '-out', file(`${name}.csr`));
      writeFileSync(file(`${name}.ext`), `subjectAltName=${names.join(',')}`);
      openssl(
        'x509',
        '-req',
        '-in',
        file(`${name}.csr`),
        '-CA',
        file('ca.pem'),
        '-CAkey',
        file('ca.key'),
        '-CAcreateserial',
        '-days',
        String(days),
        '-extfile',
        file(`${name}.ext`),
        '-out',
        certificate,
      );
      return { certificate, key };
    },
  };
}

function openssl(...parameters: string[]): void {
  execFileSync('openssl', parameters, { stdio: ['ignore', 'ignore', 'pipe'] });
}
