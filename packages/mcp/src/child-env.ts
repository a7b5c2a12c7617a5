/** The only variables that a child inherits; everything else must be declared by its configuration. */
export const INHERITED = ['HOME', 'PATH', 'SHELL', 'TERM', 'USER', 'LOGNAME', 'LANG'] as const;

/**
 * Environment of a child process: the allow-list from `base`, then what the configuration declares.
 * Exported shell functions (values that begin with `()`) are dropped, because a shell would run them.
 */
export const toChildEnv = (
  base: Readonly<Record<string, string | undefined>>,
  declared: Readonly<Record<string, string>>,
): Record<string, string> => {
  const env: Record<string, string> = {};
  for (const name of INHERITED) {
    const value = base[name];
    if (value !== undefined && !value.startsWith('()')) env[name] = value;
  }
  return { ...env, ...declared };
};
