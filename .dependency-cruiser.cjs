const mayUse = require('./.dependency-cruiser.rooms.cjs');

const rooms = Object.keys(mayUse);
const tests = '\\.test\\.ts$';

/** Packages that only these folders may import, so that exchanging one touches few files. */
const keptIn = {
  nats: ['wire/nats'],
  '@grpc/grpc-js': ['wire/grpc', 'test/support'],
  '@grpc/reflection': ['wire/grpc'],
  'grpc-health-check': ['wire/grpc', 'test/support'],
  pino: ['process/log'],
  '@opentelemetry': ['process/tracing'],
  yaml: ['process/config', 'cli', 'deploy', 'examples', 'prove', 'test'],
  koffi: ['model/runtime'],
  'onnx-buf': ['model/onnx'],
  '@huggingface/jinja': ['model/chat/jinja'],
  tokenizers: ['model/tokenizer', 'examples/zoo'],
  commander: ['cli'],
  'log-update': ['cli'],
  picocolors: ['cli'],
  'slice-ansi': ['cli'],
  uplot: ['page/view'],
  esbuild: ['page', 'deploy/image'],
};

const roomRules = Object.entries(mayUse).map(([room, used]) => ({
  name: `${room}-imports-one-way`,
  comment: `${room}/ may import ${['itself', ...used].join(', ')} only`,
  severity: 'error',
  from: { path: `^${room}/` },
  to: { path: `^(${rooms.filter((other) => other !== room && !used.includes(other)).join('|')})/` },
}));

const packageRules = Object.entries(keptIn).map(([name, folders]) => ({
  name: `${name}-behind-one-door`,
  comment: `only ${folders.join(', ')} may import ${name}`,
  severity: 'error',
  from: { pathNot: `^(${folders.join('|')})/` },
  to: { path: `node_modules/${name}/` },
}));

module.exports = {
  forbidden: [
    ...roomRules,
    ...packageRules,
    {
      name: 'trainer-assembles-its-rooms',
      comment: "the files at trainer/'s root put its folders together; a folder knows nothing of them",
      severity: 'error',
      from: { path: '^trainer/[^/]+/', pathNot: tests },
      to: { path: '^trainer/[^/]+\\.ts$' },
    },
    {
      name: 'fusellm-behind-one-door',
      comment: "the paper's method is used through fusion/fusellm/fusellm.ts",
      severity: 'error',
      from: { path: `^(${rooms.join('|')})/`, pathNot: ['^fusion/fusellm/', tests] },
      to: { path: '^fusion/fusellm/(?!fusellm\\.ts)' },
    },
    {
      name: 'page-knows-messages-only',
      comment: 'the page shows messages of the protocol; it does not know how they travel',
      severity: 'error',
      from: { path: '^page/', pathNot: tests },
      to: { path: '^wire/(?!generated/|messages/)' },
    },
    {
      name: 'browser-stands-alone',
      comment:
        'page/view runs in a browser: of packages it takes uplot and @bufbuild/protobuf, and nothing of Node.js',
      severity: 'error',
      from: { path: '^page/view/', pathNot: tests },
      to: {
        path: '^(page/(?!view/)|errors/|node_modules/(?!uplot/|@bufbuild/protobuf/))|^(node:)?(fs|path|http|os|crypto|url)$',
      },
    },
    {
      name: 'messages-stand-alone',
      comment:
        'what wire/messages says of messages, trainer and browser read alike: it takes their code and no more',
      severity: 'error',
      from: { path: '^wire/messages/', pathNot: tests },
      to: { pathNot: '^(wire/(messages|generated)/|node_modules/@bufbuild/protobuf/)' },
    },
    {
      name: 'no-cycles',
      comment: 'two files that need each other are one thing, or hide a third',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'rooms-stand-alone',
      comment: 'what runs in production imports nothing from test, bench, examples, deploy and scripts',
      severity: 'error',
      from: { path: `^(${rooms.join('|')})/`, pathNot: tests },
      to: { path: '^(test|bench|examples|deploy|scripts)/' },
    },
    {
      name: 'tests-use-test-support',
      comment: 'a test beside a file takes nothing but test/support from outside the rooms',
      severity: 'error',
      from: { path: `^(${rooms.join('|')})/.*${tests}` },
      to: { path: '^(test/(?!support/)|bench/|examples/|deploy/|scripts/)' },
    },
    {
      name: 'nothing-imports-tests',
      comment: 'a test is the end of the line',
      severity: 'error',
      from: {},
      to: { path: tests },
    },
    {
      name: 'no-development-packages-in-production',
      comment: 'a package that production code imports belongs in "dependencies"',
      severity: 'error',
      from: { path: `^(${rooms.join('|')})/`, pathNot: tests },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'packages-are-declared',
      comment: 'a package that we import stands in package.json',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'imports-resolve',
      comment: 'the imported file or package exists',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      extensions: ['.ts', '.mjs', '.cjs', '.js', '.json', '.node'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      exportsFields: ['exports'],
    },
  },
};
