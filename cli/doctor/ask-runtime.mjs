// Tells the process that started this one what ONNX Runtime can do here, or why it cannot be loaded.
const providers = '../../model/runtime/providers.ts';
if (providers.endsWith('.ts')) {
  const { register } = await import('tsx/esm/api');
  register();
}
let answer;
try {
  const { runtimeHere } = await import(providers);
  answer = { runtime: await runtimeHere() };
} catch (error) {
  answer = { error: error.message };
}
process.send(answer, () => process.exit());
