import { existsSync, mkdtempSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { neg } from '../../model/graph/expressions.ts';
import { createGraph } from '../../model/graph/operators.ts';
import { emitModel } from '../../model/onnx/emit.ts';
import { openSession, type Session } from '../../model/runtime/session.ts';

/** Where Debian's chromium has a Vulkan that computes on the processor, and the loader that finds it. */
const folder = '/usr/lib/chromium';
const driver = join(folder, 'vk_swiftshader_icd.json');
const loader = join(folder, 'libvulkan.so.1');

/** RTLD_NODELETE: the library stays, though Node finds no module in it. */
const stays = 0x1000;

/** Why there is no device for WebGPU; undefined where there is one, of the machine or of chromium. */
export async function refusalOfDevice(): Promise<string | undefined> {
  if (existsSync(driver) && process.env['VK_ICD_FILENAMES'] === undefined) {
    process.env['VK_ICD_FILENAMES'] = driver;
    process.env['XDG_RUNTIME_DIR'] ??= mkdtempSync(join(tmpdir(), 'fusemesh-vulkan-'));
    try {
      process.dlopen({ exports: {} }, loader, constants.dlopen.RTLD_NOW | stays);
    } catch {
      // It is no module of Node; but from now on ONNX Runtime finds it by its name.
    }
  }
  try {
    await stayOpen();
    return undefined;
  } catch (error) {
    return `WebGPU needs Vulkan, such as that of Debian's chromium: ${(error as Error).message.trim()}`;
  }
}

const kept: Session[] = [];

/**
 * Opens a model that stays open. With its last session ONNX Runtime closes the device and forgets the programs that it
 * compiled: each takes up to a second, and a model needs dozens.
 */
async function stayOpen(): Promise<void> {
  const x = createGraph().input('x', 'float32', [1]);
  if (kept.length === 0)
    kept.push(await openSession(emitModel({ y: neg(x) }), { threads: 1, provider: 'webgpu' }));
}
