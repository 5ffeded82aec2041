/** What is read of a CycloneDX document, as `npm sbom` writes it. */
interface Bill {
  readonly metadata: { readonly component: { readonly name: string } };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

interface Component {
  readonly 'bom-ref': string;
  readonly name: string;
}

/**
 * The packages that are in an image, of all that are installed where it is built.
 *
 * @param bill JSON in CycloneDX (https://cyclonedx.org/docs/1.5/json), as `npm sbom` writes it
 * @param isThere whether the image has a package of that name
 */
export function billOfImage(bill: string, isThere: (name: string) => boolean): string {
  const whole = JSON.parse(bill) as Bill;
  const { metadata } = whole;
  const components = whole.components.filter(({ name }) => isThere(name));
  const left = new Set(whole.components.map((component) => component['bom-ref']));
  for (const component of components) left.delete(component['bom-ref']);
  const dependencies = whole.dependencies
    .filter(({ ref }) => !left.has(ref))
    .map((each) => ({ ...each, dependsOn: each.dependsOn.filter((ref) => !left.has(ref)) }));
  // npm takes the folder's name.
  const component = { ...metadata.component, name: 'fusemesh' };
  return `${JSON.stringify({ ...whole, metadata: { ...metadata, component }, components, dependencies }, null, 2)}\n`;
}
