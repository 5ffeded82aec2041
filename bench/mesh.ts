/** Speed of the stream path from three teachers to batches, bytes a token, and what streaming costs a run. */
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadRealTokenizer } from '../test/support/real-tokenizer.ts';
import { connectNats } from '../wire/nats/connection.ts';
import { startLocalNatsServer } from '../wire/nats/local-server.ts';
import { chainFigures } from './mesh/chain.ts';
import { paceFigures } from './mesh/pace.ts';
import { sizeFigures } from './mesh/rival-sizes.ts';
import { teachers } from './mesh/sources.ts';
import { cutTexts } from './mesh/texts.ts';
import { type Figure, report } from './report.ts';

const contextLength = 512;
const textsOfFile = 32;

const tokenizers = await Promise.all(teachers.map((name) => loadRealTokenizer(name)));
const texts = await cutTexts(tokenizers, contextLength, textsOfFile);
const storeDirectory = await mkdtemp(join(tmpdir(), 'fusemesh-bench-'));
const { pid, url, stop } = await startLocalNatsServer({ storeDirectory });
const connection = await connectNats(url, 'bench');
const figures: Figure[] = [];
try {
  console.error(`Load of the machine before: ${loadavg()[0].toFixed(1)}`);
  figures.push(...(await chainFigures({ connection, pid, url }, texts)));
  figures.push(...(await sizeFigures(texts)));
  figures.push(...(await paceFigures({ connection, pid, url })));
} finally {
  await connection.close();
  await stop();
  await rm(storeDirectory, { recursive: true, force: true });
}
report('mesh', figures);
