const { options } = require('./.dependency-cruiser.cjs');

// Folders are looked at without tests, which stand beside what they test and use what is above it.
module.exports = {
  forbidden: [
    {
      name: 'no-circles-between-folders',
      comment: 'two folders that need each other are one, or hide a third',
      severity: 'error',
      scope: 'folder',
      from: {},
      to: { circular: true },
    },
  ],
  options: { ...options, exclude: { path: '\\.test\\.ts$' } },
};
