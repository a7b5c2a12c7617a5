// Runs before any module. Twin of src/shell/theme.ts: a chosen theme must never flash the other one.
try {
  const theme = localStorage.getItem('cloutagent.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be blocked; the system's theme holds then.
}

// The schemas of the contract are made while modules load, and zod then probes whether `new Function` is allowed. The
// page's policy forbids it, and the browser would report the probe as a violation. This is zod's switch against it.
globalThis.__zod_globalConfig = { jitless: true };
