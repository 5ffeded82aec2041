import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { Architecture } from '../families/architecture.ts';
import type { LinearLayer } from '../families/weight-shapes.ts';
import type { TargetModules } from './lora-settings.ts';

/**
 * The linear layers that are adapted, by the names of their modules.
 *
 * @throws FuseMeshError invalid_argument where a name or an expression fits none
 */
export function targetLayers(
  { linearLayers, baseModelPrefix }: Architecture,
  targetModules: TargetModules,
): ReadonlyMap<string, LinearLayer> {
  const names = [...linearLayers.keys()];
  const chosen = new Set(
    targetModules === 'all-linear'
      ? names.filter((name) => name.startsWith(baseModelPrefix))
      : typeof targetModules === 'string'
        ? fitting(names, [expression(targetModules)], [targetModules])
        : fitting(names, targetModules.map(lastPart), targetModules),
  );
  return new Map([...linearLayers].filter(([name]) => chosen.has(name)));
}

type Fits = (name: string) => boolean;

/** Names that fit one of the patterns; each pattern must fit at least one name. */
function fitting(names: readonly string[], patterns: readonly Fits[], written: readonly string[]): string[] {
  for (const [i, fits] of patterns.entries()) {
    if (names.some(fits)) continue;
    const kinds = [...new Set(names.map((name) => name.slice(name.lastIndexOf('.') + 1)))];
    throw new FuseMeshError(
      'invalid_argument',
      `targetModules: "${written[i]}" fits no linear layer of the model; it has ${kinds.join(', ')}`,
    );
  }
  return names.filter((name) => patterns.some((fits) => fits(name)));
}

/** peft's re.fullmatch. */
function expression(pattern: string): Fits {
  try {
    const regular = new RegExp(`^(?:${pattern})$`);
    return (name) => regular.test(name);
  } catch (cause) {
    throw new FuseMeshError('invalid_argument', `targetModules: ${(cause as Error).message}`, { cause });
  }
}

const lastPart =
  (part: string): Fits =>
  (name) =>
    name === part || name.endsWith(`.${part}`);
