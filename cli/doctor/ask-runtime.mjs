import { register } from 'tsx/esm/api';

// Tells the process that started this one what ONNX Runtime can do here, or why it cannot be loaded.
register();
let answer;
try {
  const { runtimeHere } = await import('../../model/runtime/providers.ts');
  answer = { runtime: await runtimeHere() };
} catch (error) {
  answer = { error: error.message };
}
process.send(answer, () => process.exit());
