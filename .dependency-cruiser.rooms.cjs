// Imports run one way, down this list: a room may import those that it names, which stand below it.

/** What files of a room may import of ours; their tests may also use test/support. */
module.exports = {
  cli: ['services', 'trainer', 'page', 'fusion', 'texts', 'model', 'wire', 'process', 'errors'],
  trainer: ['page', 'fusion', 'engine', 'texts', 'model', 'wire', 'process', 'numbers', 'errors'],
  services: ['texts', 'model', 'wire', 'process', 'numbers', 'errors'],
  fusion: ['engine', 'model', 'wire', 'process', 'errors'],
  engine: ['model', 'numbers', 'errors'],
  texts: ['model', 'errors'],
  page: ['wire', 'process', 'errors'],
  model: ['numbers', 'errors'],
  wire: ['process', 'numbers', 'errors'],
  process: ['errors'],
  numbers: [],
  errors: [],
};
