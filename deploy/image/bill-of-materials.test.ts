import { expect, it } from 'vitest';
import { billOfImage } from './bill-of-materials.ts';

const component = (name: string) => ({ name, 'bom-ref': `${name}@1.0.0`, licenses: [] });

it('names the packages that are there, and what they need of each other', () => {
  const bill = {
    bomFormat: 'CycloneDX',
    metadata: { component: { name: 'app', version: '0.1.0' } },
    components: [component('nats'), component('esbuild'), component('@grpc/grpc-js')],
    dependencies: [
      { ref: 'fusemesh@0.1.0', dependsOn: ['nats@1.0.0', 'esbuild@1.0.0'] },
      { ref: 'nats@1.0.0', dependsOn: [] },
      { ref: 'esbuild@1.0.0', dependsOn: ['nats@1.0.0'] },
    ],
  };
  const said: unknown = JSON.parse(billOfImage(JSON.stringify(bill), (name) => name !== 'esbuild'));
  expect(said).toEqual({
    bomFormat: 'CycloneDX',
    metadata: { component: { name: 'fusemesh', version: '0.1.0' } },
    components: [component('nats'), component('@grpc/grpc-js')],
    dependencies: [
      { ref: 'fusemesh@0.1.0', dependsOn: ['nats@1.0.0'] },
      { ref: 'nats@1.0.0', dependsOn: [] },
    ],
  });
});
