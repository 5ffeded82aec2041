import type { Command } from 'commander';
import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import { writeModel } from '../../model/export/write-model.ts';
import { readArchitecture } from '../../model/families/read-architecture.ts';
import { adapterShapes } from '../../model/lora/adapters.ts';
import { mergedWeights } from '../../model/lora/merged-weights.ts';
import { readAdapterConfig, readAdapters } from '../../model/lora/read-adapter.ts';
import { targetLayers } from '../../model/lora/target-layers.ts';
import { runUntilStopped } from '../../process/lifecycle/run-until-stopped.ts';

interface MergeOptions {
  readonly base?: string;
}

export function addMerge(program: Command): void {
  program
    .command('merge')
    .argument('<ADAPTER>', 'directory with adapter_config.json and adapter_model.safetensors')
    .argument('<OUTPUT>', 'Hugging Face directory to write')
    .option(
      '--base <model>',
      'Hugging Face directory of the base model, where the adapter names none or another',
    )
    .summary('fold a LoRA adapter into its model')
    .description(
      'Writes the model that gives what base model and adapter give together: a Hugging Face directory in the ' +
        "base model's number formats, with model.onnx. The adapter may be one of a checkpoint, or of peft.",
    )
    .addHelpText('after', '\nExample:\n  $ fusemesh merge runs/demo/checkpoints/step-000050 merged')
    .action((adapter: string, output: string, options: MergeOptions) =>
      runUntilStopped(() => merge(adapter, output, options)),
    );
}

async function merge(adapter: string, output: string, options: MergeOptions): Promise<void> {
  const config = await readAdapterConfig(adapter);
  const base = options.base ?? config.baseModel;
  if (base === undefined) {
    throw new FuseMeshError('invalid_argument', `${adapter} does not name its base model: use --base MODEL`);
  }
  const shapes = adapterShapes(targetLayers(await readArchitecture(base), config.targetModules), config.rank);
  const weights = await mergedWeights(base, config, await readAdapters(adapter, shapes));
  await writeModel(output, base, weights);
  process.stdout.write(`The merged model is in ${output}\n`);
}
