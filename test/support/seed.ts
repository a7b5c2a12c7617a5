import fc from 'fast-check';

/** Under CI random tests try the same each time, so that what fails is what was changed; elsewhere every run tries something new. */
if (process.env['CI'] === 'true') fc.configureGlobal({ seed: 1 });
