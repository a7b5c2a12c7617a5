// Evaluated before everything else, so it is written for engines that are far too old.
const parts = process.versions.node.split('.').map(Number);
if (parts[0] < 20 || (parts[0] === 20 && parts[1] < 19)) {
  console.error(`CloutAgent needs Node.js 20.19 or newer; this is ${process.versions.node}.`);
  console.error(
    'Get a current one from https://nodejs.org, or with your version manager, and run the same command again.',
  );
  process.exit(1);
}
