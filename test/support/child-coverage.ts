/** Node hands this one on to every process that a test starts; each writes there what it ran when it ends. */
const folder = process.env['CLOUT_CHILD_COVERAGE'];
if (folder !== undefined) process.env['NODE_V8_COVERAGE'] = folder;
