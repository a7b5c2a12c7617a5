import { appendFileSync } from 'node:fs';

/**
 * A vitest reporter that writes one JSON object to the file named by CLOUT_TEST_COUNTS:
 * `{passed, failed, skipped: {name, note}[]}`. Errors outside of tests count as failed.
 */
export default class CountReporter {
  onTestRunEnd(modules, unhandled) {
    const file = process.env['CLOUT_TEST_COUNTS'];
    if (file === undefined) return;
    let passed = 0;
    let failed = unhandled.length;
    const skipped = [];
    for (const module of modules) {
      const tests = [...module.children.allTests()];
      // A module that could not even be loaded has no tests to fail.
      if (module.state() === 'failed' && tests.every((test) => test.result().state !== 'failed')) failed += 1;
      for (const test of tests) {
        const { state, note } = test.result();
        if (state === 'passed') passed += 1;
        else if (state === 'failed') failed += 1;
        else skipped.push({ name: `${module.relativeModuleId} ${test.fullName}`, note: note ?? '' });
      }
    }
    appendFileSync(file, `${JSON.stringify({ passed, failed, skipped })}\n`);
  }
}
