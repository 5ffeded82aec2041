import { isNeedless } from './packages.ts';

/** What is read of a CycloneDX document, as `npm sbom` writes it. */
interface Bill {
  readonly components: readonly { readonly name: string; readonly 'bom-ref': string }[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

/**
 * The packages that are in an image, of all that are installed where it is built.
 *
 * @param bill JSON in CycloneDX (https://cyclonedx.org/docs/1.5/json)
 */
export function billOfImage(bill: string): string {
  const whole = JSON.parse(bill) as Bill;
  const left = new Set(
    whole.components.filter(({ name }) => isNeedless(name)).map((component) => component['bom-ref']),
  );
  const isIn = (ref: string): boolean => !left.has(ref);
  return `${JSON.stringify(
    {
      ...whole,
      components: whole.components.filter((component) => isIn(component['bom-ref'])),
      dependencies: whole.dependencies
        .filter(({ ref }) => isIn(ref))
        .map((each) => ({ ...each, dependsOn: each.dependsOn.filter(isIn) })),
    },
    null,
    2,
  )}\n`;
}
