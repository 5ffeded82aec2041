import { FuseMeshError } from '../../errors/fusemesh-error.ts';
import type { Architecture } from '../families/architecture.ts';
import type { LinearLayer } from '../families/weight-shapes.ts';
import type { TargetModules } from './lora-settings.ts';

/**
 * The linear layers that are adapted, by the names of their modules. As in peft, a name among others may fit none.
 *
 * @throws FuseMeshError invalid_argument where none of the names, or an expression, fits one
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
        ? fitting(names, [targetModules], expression)
        : fitting(names, targetModules, lastPart),
  );
  return new Map([...linearLayers].filter(([name]) => chosen.has(name)));
}

/**
 * What is wrong with names of modules of which some fit none and others do, in a sentence; undefined where nothing is:
 * who wrote them may have meant another model.
 */
export function strayTargets(
  { linearLayers }: Architecture,
  targetModules: TargetModules,
): string | undefined {
  if (typeof targetModules === 'string') return undefined;
  const names = [...linearLayers.keys()];
  const strays = targetModules.filter((target) => !names.some(lastPart(target)));
  return strays.length === 0 ? undefined : noLayer(strays, names);
}

type Fits = (name: string) => boolean;

/** Names that fit one of the targets. */
function fitting(
  names: readonly string[],
  targets: readonly string[],
  fitsOf: (target: string) => Fits,
): string[] {
  const patterns = targets.map(fitsOf);
  const chosen = names.filter((name) => patterns.some((fits) => fits(name)));
  if (chosen.length === 0) throw new FuseMeshError('invalid_argument', noLayer(targets, names));
  return chosen;
}

function noLayer(targets: readonly string[], names: readonly string[]): string {
  const kinds = [...new Set(names.map((name) => name.slice(name.lastIndexOf('.') + 1)))];
  const [quoted, fit] = [
    targets.map((target) => `"${target}"`).join(', '),
    targets.length === 1 ? 'fits' : 'fit',
  ];
  return `targetModules: ${quoted} ${fit} no linear layer of the model; it has ${kinds.join(', ')}`;
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
