import { execFileSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { library, refuseOlder } from './library.ts';

/** What a process says that is to load this library. */
function said(FUSEMESH_ONNXRUNTIME: string): string {
  const url = pathToFileURL(`${import.meta.dirname}/library.ts`).href;
  const program = `
    const { library } = await import('${url}');
    try { console.log(library().version); } catch ({ code, message }) { console.log(code + ': ' + message); }`;
  return execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', program], {
    env: { ...process.env, FUSEMESH_ONNXRUNTIME },
    encoding: 'utf8',
  }).trim();
}

describe("ONNX Runtime's library", () => {
  it('is that of onnxruntime-node, or the one that is named', () => {
    const { file, version } = library();
    expect(version).toMatch(/^1\.\d+\.\d+/);
    expect(said(file)).toBe(version);
  });

  it('is refused where it does not load, or is another library', () => {
    const advice = /: set FUSEMESH_ONNXRUNTIME to a file of ONNX Runtime's shared library, or unset it for/;
    expect(said('/nowhere/libonnxruntime.so')).toMatch(/^failed_precondition: .*nowhere.*does not load/);
    expect(said('/nowhere/libonnxruntime.so')).toMatch(advice);
    expect(said(process.execPath)).toMatch(advice);
  });

  it.each(['1.29.9', '1.3.0', '2.0.0', 'unknown'])('is refused by name in version %s', (version) => {
    expect(() => refuseOlder(version, 'old.so')).toThrow(
      `old.so is ONNX Runtime ${version}; FuseMesh needs 1.30 or newer, before 2: set FUSEMESH_ONNXRUNTIME`,
    );
  });

  it.each(['1.30.0', '1.31.2'])('is taken in version %s', (version) => {
    expect(() => refuseOlder(version, 'new.so')).not.toThrow();
  });
});
